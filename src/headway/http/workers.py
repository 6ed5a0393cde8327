"""Workers: the processes of one server, which their parent alone tells to stop."""

import signal
from multiprocessing import resource_tracker
from threading import Thread

from uvicorn.supervisors import Multiprocess

_KEYBOARD = {signal.SIGINT}


class Workers(Multiprocess):
    """As they are; but Ctrl-C, which goes to every process at a keyboard, is the parent's alone.

    It would end with a traceback whichever worker is still starting. Workers inherit that it is blocked.
    """

    _is_interrupted = False

    def run(self) -> None:
        """Serve until told to stop; KeyboardInterrupt where a keyboard did."""
        resource_tracker.ensure_running()  # now: where it starts, it unblocks what is blocked
        signal.pthread_sigmask(signal.SIG_BLOCK, _KEYBOARD)
        Thread(target=self._await_keyboard, name="headway-keyboard", daemon=True).start()
        super().run()
        if self._is_interrupted:
            raise KeyboardInterrupt

    def _await_keyboard(self) -> None:
        while True:
            self.signal_queue.append(signal.sigwait(_KEYBOARD))
            self._is_interrupted = True
