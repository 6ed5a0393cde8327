"""What judges an answer: one grader a file, and those that plugins register."""
