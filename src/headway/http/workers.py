"""Workers: the processes of one server, which only their parent tells to stop."""

import signal
from multiprocessing import resource_tracker
from threading import Thread

from uvicorn.supervisors import Multiprocess

_KEYBOARD = {signal.SIGINT}


class Workers(Multiprocess):
    """uvicorn's workers, but Ctrl-C, which a terminal sends to every process, reaches their parent alone.

    A worker that is still starting would end with a traceback. Workers inherit that the signal is blocked.
    """

    _is_interrupted = False

    def run(self) -> None:
        """Serve until told to stop; KeyboardInterrupt if that came from a keyboard."""
        resource_tracker.ensure_running()  # before the signal is blocked: starting it unblocks signals
        signal.pthread_sigmask(signal.SIG_BLOCK, _KEYBOARD)
        Thread(target=self._await_keyboard, name="headway-keyboard", daemon=True).start()
        super().run()
        if self._is_interrupted:
            raise KeyboardInterrupt

    def _await_keyboard(self) -> None:
        while True:
            self.signal_queue.append(signal.sigwait(_KEYBOARD))
            self._is_interrupted = True
