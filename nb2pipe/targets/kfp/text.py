"""`pipeline.py`: the definition in Python, as people read and change it. Compiled, it is `pipeline.yaml`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.codegen.literals import literal
from nb2pipe.codegen.modules.lines import bracketed
from nb2pipe.codegen.modules.values import formatted, value_text
from nb2pipe.codegen.modules.words import quoted
from nb2pipe.codegen.templates import Code, render, words
from nb2pipe.targets.kfp.model import GATE, METRICS, NOTEBOOK, STATE
from nb2pipe.targets.kfp.settings import RUN_LABEL
from nb2pipe.targets.kfp.types import ARTIFACT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from nb2pipe.notebook.model import SecretTag
    from nb2pipe.targets.kfp.model import Component
    from nb2pipe.targets.kfp.settings import Definition, Settings

_INDENT = "    "


def pipeline_py(definition: Definition, templates: Path | None = None) -> str:
    """The text of `pipeline.py`.

    Args:
        definition: What it says.
        templates: A folder whose templates win over ours.
    """
    kinds = {kind for each in definition.components for kind in each.kinds.values()} | {ARTIFACT}
    kinds |= {"Metrics"} if any(each.metrics for each in definition.components) else set()
    kinds |= {"Input"} if any(each.inputs for each in definition.components) else set()
    return render(
        "kfp/pipeline.py.jinja",
        templates,
        title=definition.title,
        imported=Code(", ".join(sorted({*kinds, "Output"}))),
        image=definition.image,
        run=RUN_LABEL,
        package=definition.package,
        components=[Code(_component(each, definition.settings[each.task].image)) for each in definition.components],
        has_notice=definition.notice is not None,
        pipeline=Code("\n".join(_pipeline(definition))),
    )


def sources(text: str) -> dict[str, str]:
    """The source of each function of a module, from its `def` on, as KFP puts it into the YAML."""
    lines = text.splitlines(keepends=True)
    functions = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))
    return {node.name: "".join(lines[node.lineno - 1 : node.end_lineno]) for node in functions}


# ------------------------------------------------------------------------------------------------ components


def _component(component: Component, image: str) -> str:
    """The function of a component, with its decorator."""
    options = [
        f"base_image={quoted(image) if image else 'IMAGE'}",
        "install_kfp_package=False",
        "additional_funcs=[run_step]",
    ]
    returned = " -> bool:" if component.job.step.gate else ":"
    rows = [
        *([f"# {words(component.note)}"] if component.note.lower() not in {"", component.function} else []),
        bracketed("@dsl.component", options, ""),
        _signature(component.function, [*_taken(component), *_left(component)], returned),
        f"{_INDENT}# code {component.code}: what KFP reuses was made by the same code",
        _call_of_step(component),
    ]
    return "\n".join(rows)


def _signature(name: str, items: Sequence[str], tail: str) -> str:
    return "\n".join([f"def {name}(", *(f"{_INDENT}{item}," for item in items), f"){tail}"])


def _taken(component: Component) -> Iterator[str]:
    yield from (f"{one.name}: {one.annotation}" for one in component.parameters)
    if component.created:
        yield f"{component.created}: str"
    yield from (f"{name}: Input[{channel.kind}]" for name, channel in component.inputs.items())


def _left(component: Component) -> Iterator[str]:
    yield from (f"{name}: Output[{component.kinds[name]}]" for name in component.outputs.values())
    yield f"{STATE}: Output[{ARTIFACT}]"
    if component.metrics:
        yield f"{METRICS}: Output[Metrics]"
    if component.notebook:
        yield f"{NOTEBOOK}: Output[{ARTIFACT}]"


def _call_of_step(component: Component) -> str:
    gate = component.job.step.gate
    head = f"{_INDENT}{'return ' if gate else ''}run_step("
    return "\n".join([head, *(f"{_INDENT * 2}{part}," for part in _arguments(component)), f"{_INDENT})"])


def _arguments(component: Component) -> Iterator[str]:
    """What the function of a component gives to `run_step`."""
    own = {one.option: quoted(one.own) for one in component.parameters if one.own}
    parts: dict[str, object] = {
        quoted(component.job.module): True,
        _mapping("parameters", {one.option: _value(component, one.name) for one in component.parameters}): (
            component.parameters
        ),
        _mapping("own", own): own,
        _listing("inputs", list(component.inputs)): component.inputs,
        _mapping("outputs", component.outputs): component.outputs,
        f"state={STATE}": True,
        f"metrics={METRICS}": component.metrics,
        f"gate={quoted(f'{component.job.file}.json')}": component.job.step.gate,
        f"notebook={NOTEBOOK}": component.notebook,
        'options=["--nb2pipe-gated"]': component.gated,
    }
    yield from (part for part, is_there in parts.items() if is_there)


def _value(component: Component, name: str) -> str:
    """What a component gives to the option of a parameter."""
    one = next(each for each in component.parameters if each.name == name)
    if one.is_run_date:
        return f"{name} or {component.created}[:10]"
    return f"{name} or None" if one.or_own else name


def _mapping(name: str, items: Mapping[str, str]) -> str:
    rows = [f"{quoted(key)}: {value}" for key, value in items.items()]
    return _fitted(f"{name}={{", rows, "}")


def _listing(name: str, items: Sequence[str]) -> str:
    return _fitted(f"{name}=[", items, "]")


def _fitted(head: str, rows: Sequence[str], tail: str) -> str:
    flat = f"{head}{', '.join(rows)}{tail}"
    if len(flat) + 9 <= 88:  # noqa: PLR2004  # the width of lines, within two indents and with a comma
        return flat
    inner = "".join(f"{_INDENT * 3}{row},\n" for row in rows)
    return f"{head}\n{inner}{_INDENT * 2}{tail}"


# ------------------------------------------------------------------------------------------------ the pipeline


def _pipeline(definition: Definition) -> Iterator[str]:
    options = [f"name={quoted(definition.name)}"]
    options += [f"display_name={quoted(definition.title)}"] if definition.title != definition.name else []
    options += [f"description={quoted(definition.description)}"] if definition.description else []
    yield bracketed("@dsl.pipeline", options, "")
    yield bracketed("def pipeline", list(_parameters(definition)), ":")
    indent = _INDENT
    if definition.notice is not None:
        yield from _notice(definition.notice, indent)
        yield f"{indent}with dsl.ExitHandler(failure_task, name={quoted(definition.name)}):"
        indent += _INDENT
    yield from _group(definition, (), indent)


def _parameters(definition: Definition) -> Iterator[str]:
    for one in sorted(definition.given, key=lambda each: not each.is_required):
        default = "" if one.is_required else f" = {formatted(literal(one.default), indent=_INDENT)}"
        yield f"{one.name}: {one.annotation}{default}"


def _notice(secrets: Sequence[SecretTag], indent: str) -> Iterator[str]:
    yield f"{indent}failure_task = tell_failure()"
    yield f"{indent}failure_task.set_caching_options(False)"
    yield from (_secret("failure_task", one, indent) for one in secrets)


def _group(definition: Definition, path: tuple[str, ...], indent: str) -> Iterator[str]:
    """The tasks of a group, and then the groups in it."""
    for each in definition.components:
        if each.gates == path:
            yield from _task(definition, each, indent)
    for inner in definition.groups_in(path):
        gate = definition.task(inner[-1])
        holds = f"{gate.variable}_holds"
        yield f"{indent}{holds} = {gate.variable}.outputs[{quoted(GATE)}] == True  # what it returns"
        yield bracketed("with dsl.If", [holds, f"name={quoted(definition.titles[gate.task])}"], ":", indent=indent)
        yield from _group(definition, inner, indent + _INDENT)


def _task(definition: Definition, component: Component, indent: str) -> Iterator[str]:
    variables = {each.task: each.variable for each in definition.components}
    values = [f"{one.name}={one.name}" for one in component.parameters]
    if component.created:
        values.append(f"{component.created}=dsl.PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER")
    for name, channel in component.inputs.items():
        values.append(f"{name}={variables[channel.task]}.outputs[{quoted(channel.output)}]")
    yield bracketed(f"{component.variable} = {component.function}", values, "", indent=indent)
    yield from _settings(component.variable, definition.settings[component.task], indent)


def _settings(task: str, settings: Settings, indent: str) -> Iterator[str]:
    def call(name: str, *values: object, **more: object) -> str:
        words = [*map(value_text, values), *(f"{key}={value_text(value)}" for key, value in more.items())]
        return bracketed(f"{task}.{name}", words, "", indent=indent)

    if settings.display_name:
        yield call("set_display_name", settings.display_name)
    if not settings.caches:
        yield call("set_caching_options", False)
    if settings.retries:
        yield call("set_retry", num_retries=settings.retries, **_backoff(settings))
    if settings.cpu:
        yield call("set_cpu_limit", settings.cpu)
    if settings.memory:
        yield call("set_memory_limit", settings.memory)
    if settings.accelerator:
        yield call("set_accelerator_type", settings.accelerator[0])
        yield call("set_accelerator_limit", settings.accelerator[1])
    yield from (call("set_env_variable", name, value) for name, value in settings.environment.items())
    yield from _platform(task, settings, indent)


def _backoff(settings: Settings) -> dict[str, object]:
    if not settings.delay:
        return {}
    longest = {"backoff_max_duration": f"{settings.delay}s"} if settings.delay == settings.longest_delay else {}
    return {"backoff_duration": f"{settings.delay}s", "backoff_factor": 1.0, **longest}


def _platform(task: str, settings: Settings, indent: str) -> Iterator[str]:
    def call(name: str, *values: object) -> str:
        return bracketed(f"kubernetes.{name}", [task, *map(value_text, values)], "", indent=indent)

    yield bracketed("kubernetes.use_field_path_as_env", [task, quoted("NB2PIPE_RUN"), "RUN"], "", indent=indent)
    yield from (_secret(task, one, indent) for one in settings.secrets)
    yield from (call("add_pod_label", key, value) for key, value in settings.labels.items())
    yield from (call("add_pod_annotation", key, value) for key, value in settings.annotations.items())
    if settings.timeout:
        yield call("set_timeout", settings.timeout)


def _secret(task: str, secret: SecretTag, indent: str) -> str:
    values = [task, quoted(secret.secret), value_text({secret.key: secret.variable})]
    return bracketed("kubernetes.use_secret_as_env", values, "", indent=indent)
