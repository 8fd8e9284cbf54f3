"""Runs the cells of a notebook in one kernel: starts it, watches it, ends it, and leaves no process behind."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async
from papermill.clientwrap import PapermillNotebookClient

from nb2pipe.executors.kernels.connect import connect
from nb2pipe.executors.kernels.forking import StoppedError
from nb2pipe.executors.outputs import merged
from nb2pipe.executors.processes import end_processes, hint_on_end, how_it_ended, process_family, socket_folder
from nb2pipe.executors.watch import Reason, Stop, is_ours

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from papermill.engines import NotebookExecutionManager

    from nb2pipe.executors.kernels.cold import Started
    from nb2pipe.executors.watch import StepWatch

_POLL = 0.05
"""Seconds between two looks at the kernel, the deadline and the wish to cancel."""
_PATIENCE = 0.8
"""Seconds that an interrupted cell gets to end by itself."""
_LAST_WORDS = 0.2
"""Seconds in which the output of a kernel that died still arrives."""
_END = "(lambda loop: loop.call_later(0.002, loop.stop))(__import__('IPython').get_ipython().kernel.io_loop)"
_GLANCE = 0.002
"""Seconds between two looks at a kernel that is ending."""
_FAREWELL = 5.0
"""Seconds that a kernel gets for its `atexit` functions."""
_ANSWER = 20.0
"""Seconds that the kernel may take for one of our own short requests."""
_ORPHANED = "the process that kernels are forked from ended, and the kernel with it"
_LOG_TAIL = 4000
_LONGEST_SOCKET = 90
"""Characters of a folder's path in which sockets fit everywhere."""

_log = logging.getLogger("nb2pipe.kernel")
_log.addHandler(logging.NullHandler())
_log.propagate = False  # what is worth telling is told as a failure


class StepClient(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    """A client that runs each notebook on an event loop of its own, so that several threads may each run one.

    Args:
        manager: papermill's record of the notebook being run.
        kernel_name: The kernel's name.
        watch: Hears of everything, and says when to stop.
        start_timeout: How many seconds the kernel may take to be ready.
    """

    def __init__(
        self, manager: NotebookExecutionManager, kernel_name: str, watch: StepWatch, start_timeout: float
    ) -> None:
        folder = {"metadata": {"path": str(watch.folder)}} if watch.folder else {}
        super().__init__(
            manager,
            kernel_name=kernel_name,
            startup_timeout=int(start_timeout),
            timeout=None,
            iopub_timeout=30,
            resources=folder,
            log=_log,
        )
        self.watch = watch
        self.on_cell_executed = self._note_exit
        self._cell: NotebookNode | None = None
        self._started: Started | None = None
        self._exits = False
        self._exit_code: int | None = None
        self._peak: int | None = None
        self._orphaned = False

    def run(self) -> None:
        """Runs the notebook; why it ended early, if it did, is in the watch.

        Raises:
            NoSuchKernel: There is no kernel of that name.
        """
        self.reset_execution_trackers()
        try:
            self._started = self.watch.kernel()
        except StoppedError:
            reason = self.watch.wants_stop() or Reason.CANCELLED
            self.watch.stopped = Stop(reason=reason)
            return
        if self._started is not None:
            self._run_in(self._started)
            return
        with tempfile.TemporaryFile() as log, socket_folder() as sockets:
            self.create_kernel_manager()
            self._use_sockets(sockets)
            asyncio.run(self._supervise(log))

    def _run_in(self, kernel: Started) -> None:
        """Runs the notebook in a kernel that was started already."""
        try:
            self.create_kernel_manager()
            self.km.load_connection_info(kernel.connection)
            self.km.connection_file = kernel.file
            self.km.provisioner = kernel.process
            asyncio.run(self._supervise(kernel.log))
        finally:
            kernel.dispose()

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """As papermill's; what is printed is told on as it arrives."""
        output = super().process_message(msg, cell, cell_index)
        if output and output["output_type"] == "stream":
            self.watch.printed(cell, output["name"], output["text"])
        return output

    def _use_sockets(self, folder: str) -> None:
        """Talks to the kernel through files that only this user can open, where it is sure to be on this machine.

        Ports may be taken by another program between their choice and their use.
        """
        native = any("ipykernel" in argument for argument in self.km.kernel_spec.argv)
        if os.name == "posix" and native and len(folder) < _LONGEST_SOCKET:
            self.km.transport = "ipc"
            self.km.connection_file = str(Path(folder) / "kernel.json")
            self.km.ip = str(Path(folder) / "ipc")

    async def _supervise(self, log: Any) -> None:
        """Runs the cells in a task, and looks after the kernel meanwhile."""
        work = asyncio.create_task(self._run_all(log))
        try:
            while not work.done():
                await asyncio.wait({work}, timeout=_POLL)
                if not work.done() and (reason := await self._reason_to_stop()):
                    await self._stop(work, reason)
        finally:
            work.cancel()
            await asyncio.wait({work})
            await self._end_kernel()
        self._conclude(work, log)

    async def _run_all(self, log: Any) -> None:
        if self._started is None:
            await self.async_start_new_kernel(env=self.watch.environment(), stdout=subprocess.DEVNULL, stderr=log)
            await self.async_start_new_kernel_client()
        else:
            self.kc = await connect(self.km, self._started, self.startup_timeout)
        self.watch.begins(self.nb)
        for index, cell in enumerate(self.nb.cells):
            if self.watch.stopped is not None:
                return
            if cell.cell_type == "code":
                await self._run_one(index, cell)
        info = await self.async_wait_for_reply(await ensure_async(self.kc.kernel_info()))
        if info is not None:
            self.nb.metadata["language_info"] = info["content"]["language_info"]
        self.set_widgets_metadata()

    async def _run_one(self, index: int, cell: NotebookNode) -> None:
        self._cell = cell
        self.nb_man.cell_start(cell, index)
        self.watch.cell_begins(cell)
        try:
            await self.async_execute_cell(cell, index, store_history=not is_ours(cell))
        except CellExecutionError as error:
            self._failed(Reason.ERROR, cell, index, error)
            with suppress(TimeoutError):  # then the failure is told in the kernel's own words
                await self._ask(self.watch.code_on_error(cell))
        else:
            await self._ask(self.watch.code_after(cell))
            if self._exits:
                self._failed(Reason.EXIT, cell, index, None)
        finally:
            cell["outputs"] = merged(cell["outputs"])
            if is_ours(cell):
                cell["execution_count"] = None
            self.nb_man.cell_complete(cell, cell_index=index)
            self.watch.cell_ended(cell)

    def _failed(self, reason: Reason, cell: NotebookNode, index: int, error: CellExecutionError | None) -> None:
        self.nb_man.cell_exception(cell, cell_index=index, exception=error)
        kind, message = (error.ename, error.evalue) if error else ("SystemExit", "")
        trace = error.traceback if error else ""
        stopped = self.watch.stopped
        if stopped is None:
            self.watch.stopped = Stop(reason=reason, cell=cell, kind=kind, message=message, traceback=trace)

    def _note_exit(self, *, execute_reply: dict[str, Any] | None = None, **_known: object) -> None:
        """Notes that the cell called `exit()`: its reply looks like success, and the kernel ends a little later."""
        payload = execute_reply["content"].get("payload") if execute_reply else None
        self._exits = any(part.get("source") == "ask_exit" for part in payload or ())

    async def _ask(self, code: str | None) -> str:
        """Runs a short request of ours silently, and waits for its reply, whose status it gives."""
        while code is not None:
            request = await ensure_async(self.kc.execute(code, silent=True, store_history=False, allow_stdin=False))
            reply = await asyncio.wait_for(self._reply_to(request), _ANSWER)
            if reply["content"]["status"] != "aborted":  # the kernel drops requests for a moment after an error
                return str(reply["content"]["status"])
        return "ok"

    async def _reply_to(self, request: str) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = await ensure_async(self.kc.shell_channel.get_msg(timeout=None))
            if message["parent_header"].get("msg_id") == request:
                return message

    async def _reason_to_stop(self) -> Reason | None:
        wish = self.watch.wants_stop()
        if wish is not None:
            return wish
        if self.km is None or not self.km.has_kernel or await self.km.is_alive():
            return None
        return Reason.DIED if self._cell is not None else Reason.NOT_STARTED

    async def _stop(self, work: asyncio.Task[None], reason: Reason) -> None:
        self.watch.stopped = self.watch.stopped or Stop(reason=reason, cell=self._cell)
        if reason in {Reason.DIED, Reason.NOT_STARTED}:
            await asyncio.wait({work}, timeout=_LAST_WORDS)
        elif self._cell is not None and not is_ours(self._cell):  # nothing of the author's is to end by itself
            with suppress(RuntimeError, OSError):
                await self.km.interrupt_kernel()
            await asyncio.wait({work}, timeout=_PATIENCE)
        work.cancel()
        await asyncio.wait({work})

    def _conclude(self, work: asyncio.Task[None], log: Any) -> None:
        """Sees to it that the watch knows how it ended; an error that is none of the author's is raised."""
        error = None if work.cancelled() else work.exception()
        if self.watch.stopped is None and error is not None:
            if not isinstance(error, DeadKernelError | CellTimeoutError | RuntimeError | TimeoutError):
                raise error
            reason = Reason.DIED if self._cell is not None else Reason.NOT_STARTED
            self.watch.stopped = Stop(reason=reason, cell=self._cell, message=str(error))
        stopped = self.watch.stopped
        if stopped is not None and stopped.reason in {Reason.DIED, Reason.NOT_STARTED}:
            text = _tail(log)
            known = _ORPHANED if self._orphaned else how_it_ended(self._exit_code, "kernel", self._peak)
            message = known or stopped.message
            self.watch.stopped = replace(stopped, message=message, traceback=text, hint=hint_on_end(self._exit_code))

    async def _end_kernel(self) -> None:
        """Ends the kernel and all that it started; where the step was not stopped, with `atexit` as any program."""
        if self.km is None:
            return
        if self.km.has_kernel:
            kernel = self.km.provisioner
            process = getattr(kernel, "pid", None)
            family = process_family(process)
            self._exit_code = await kernel.poll()
            self._peak = getattr(kernel, "peak", None)
            self._orphaned = getattr(kernel, "orphaned", False)
            if self._exit_code is None and not self._is_hurried():
                await self._ask_to_end()
            if await kernel.poll() is None:
                await kernel.kill()
            await asyncio.wait_for(kernel.wait(), _ANSWER)
            end_processes(process, family)
        if self.kc is not None:
            self.kc.stop_channels()
        await ensure_async(self.km.cleanup_resources())

    def _is_hurried(self) -> bool:
        stopped = self.watch.stopped
        return self.kc is None or (stopped is not None and stopped.reason is not Reason.ERROR)

    async def _ask_to_end(self) -> None:
        """Asks the kernel to end, and waits until it did.

        Jupyter's own request for that is answered by one thread of ipykernel while another is closing what the answer
        needs: one time in ten both wait for ten seconds. So the kernel's loop is stopped instead, as `exit()` does.
        Where that happens before the reply is sent, none ever comes.
        """
        asked = asyncio.create_task(self._ask(_END))
        ended = asyncio.create_task(self._has_ended())
        await asyncio.wait({asked, ended}, timeout=_ANSWER, return_when=asyncio.FIRST_COMPLETED)
        if asked.done() and asked.exception() is None:
            if asked.result() != "ok":  # not ipykernel
                self.kc.shutdown()
            await asyncio.wait({ended}, timeout=_FAREWELL)
        for task in (asked, ended):
            task.cancel()
        await asyncio.wait({asked, ended})

    async def _has_ended(self) -> None:
        while await self.km.provisioner.poll() is None:  # noqa: ASYNC110  # another process sets no event
            await asyncio.sleep(_GLANCE)


def _tail(log: Any) -> str:
    log.seek(0)
    text: str = log.read().decode(errors="replace")
    return text[-_LOG_TAIL:].strip()


__all__ = ["NoSuchKernel", "StepClient"]
