"""The papermill engine `nb2pipe`: runs a notebook in a kernel that it starts, watches and ends itself.

papermill imports this module through its entry point as it is imported itself, so nothing here imports papermill before
it is called. Without a `watch` it runs any notebook, as `papermill --engine nb2pipe` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from nb2pipe.executors.watch import StepWatch


class StepEngine:
    """What papermill calls; the names of the methods and arguments are papermill's."""

    @classmethod
    def execute_notebook(  # noqa: PLR0913  # papermill's signature
        cls,
        nb: NotebookNode,
        kernel_name: str,
        output_path: str | None = None,
        *,
        progress_bar: bool | dict[str, Any] = True,
        log_output: bool = False,
        autosave_cell_every: int = 30,
        watch: StepWatch | None = None,
        start_timeout: float = 60,
        **_others: object,
    ) -> NotebookNode:
        """Runs the code cells of a notebook.

        Args:
            nb: The notebook; it is changed in place.
            kernel_name: The kernel's name.
            output_path: Where papermill saves it as it goes on.
            progress_bar: Whether papermill shows a bar.
            log_output: Whether papermill logs what is printed.
            autosave_cell_every: Seconds between two versions on disk while a cell runs.
            watch: Hears of all that happens, and may end it.
            start_timeout: How many seconds the kernel may take to be ready.

        Returns:
            The notebook, with its outputs.

        Raises:
            PapermillException: The kernel ended, and no `watch` is there to be told.
        """
        from papermill.engines import NotebookExecutionManager  # noqa: PLC0415  # see above
        from papermill.exceptions import PapermillException  # noqa: PLC0415  # see above

        from nb2pipe.executors.client import StepClient  # noqa: PLC0415  # it imports papermill
        from nb2pipe.executors.watch import Reason, StepWatch  # noqa: PLC0415  # kept beside the client

        if watch is not None:
            nb.metadata["papermill"]["input_path"] = None  # papermill was given the notebook itself, and keeps it there
        manager = NotebookExecutionManager(
            nb,
            output_path=output_path,
            log_output=log_output,
            progress_bar=progress_bar,
            autosave_cell_every=autosave_cell_every,
        )
        manager.notebook_start()
        hears = watch or StepWatch()
        try:
            StepClient(manager, kernel_name, hears, start_timeout).run()
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
            hears.ends(manager.nb)
        if watch is None and hears.stopped is not None and hears.stopped.reason is not Reason.ERROR:
            raise PapermillException(hears.stopped.message or f"the kernel stopped: {hears.stopped.reason}")
        return manager.nb

    @classmethod
    def nb_kernel_name(cls, nb: NotebookNode, name: str | None = None) -> str:
        """The kernel's name, from papermill's argument or the notebook."""
        from papermill.utils import nb_kernel_name  # noqa: PLC0415  # see above

        return str(nb_kernel_name(nb, name))

    @classmethod
    def nb_language(cls, nb: NotebookNode, language: str | None = None) -> str:
        """The language, from papermill's argument or the notebook."""
        from papermill.utils import nb_language  # noqa: PLC0415  # see above

        return str(nb_language(nb, language))
