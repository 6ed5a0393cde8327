/** What the settings of notifications say, in English. */
export const notify = {
  title: "What you are told",
  lead: "Choose what comes in the list of notifications, what shows up while you are here, and what comes by e-mail.",
  channels: { in_app: "In the list", stream: "While I am here", email: "E-mail" } as Record<string, string>,
  kinds: {
    streak: "Your streak is about to end",
    weekly_summary: "How your week was",
    certificates: "Certificates",
    grades: "Grades and decisions of your teachers",
    achievements: "Achievements, levels and milestones",
    courses: "Modules and courses",
  } as Record<string, string>,
  choice: (kind: string, channel: string) => `${kind}: ${channel}`,
  kind: "What",
  mailTo: (address: string) => `E-mail goes to ${address}. Each one has a link to stop it.`,
  toConfirm: (address: string) =>
    `E-mail goes to ${address} once you have confirmed it: you are mailed a link for that.`,
  confirmLead: (address: string) =>
    `We mailed a link to ${address}. Open it to confirm that the address is yours: until then nothing else is mailed. ` +
    "Setting a new password by mail confirms it too.",
  confirmAgain: "Mail the link again",
  confirmSent: "On its way, if it was not mailed three times in 30 days by now.",
  noAddress: "Only accounts with an e-mail address get e-mail.",
  saved: "Saved.",
};
