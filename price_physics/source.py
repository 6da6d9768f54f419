"""Version of the code behind a computation: the meaning of all modules that it can import.

A module counts by its syntax tree without docstrings, so neither a comment nor a new line changes
a version. Which modules count is read from their import statements: from the entry on, whatever
this package's modules import, also inside functions; imports that are for type checkers only are
none. What is registered by lying in a folder is imported by name, and so counts only where it is
named (see `names_in`).
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "price_physics"
_ROOT = Path(__file__).parent
_DATA_SUFFIXES = (".j2", ".css", ".js")


def names_in(package: str) -> list[str]:
    """Names of the modules that lie in a folder of this package, none of them imported.

    Examples
    --------
    >>> "resnet_lite" in names_in("price_physics.model.networks")
    True
    """
    folder = _path(package).parent
    return sorted(p.stem for p in folder.glob("*.py") if not p.stem.startswith("_"))


@cache
def source_version(*modules: str) -> str:
    """Hash the meaning of modules and of all that they can import.

    Parameters
    ----------
    modules : str
        Dotted names inside this package.

    Raises
    ------
    ModuleNotFoundError
        When there is no such module.
    """
    digest = hashlib.sha256()
    for name in sorted(closure(*modules)):
        digest.update(f"{name}={_meaning(name)}\n".encode())
    return digest.hexdigest()[:16]


@cache
def closure(*modules: str) -> frozenset[str]:
    """The modules of this package that `modules` can import, themselves and their packages too."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _imported(name)
            if "." in name:
                waiting.append(name.rpartition(".")[0])
    return frozenset(found)


def _path(module: str) -> Path:
    base = _ROOT.joinpath(*module.split(".")[1:])
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    raise ModuleNotFoundError(f"no module {module} in {_ROOT}", name=module)


def _is_module(name: str) -> bool:
    base = _ROOT.joinpath(*name.split(".")[1:])
    return (base / "__init__.py").is_file() or base.with_suffix(".py").is_file()


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_path(module).read_bytes())


@cache
def _meaning(module: str) -> str:
    """Hash of a module's code, and of the files beside it that it may read as data."""
    path, tree = _path(module), ast.parse(_path(module).read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [s for s in node.body if not _is_text(s)]
    digest = hashlib.sha256(ast.dump(tree).encode())
    if path.name == "__init__.py":
        for data in sorted(p for p in path.parent.rglob("*") if p.suffix in _DATA_SUFFIXES):
            digest.update(data.relative_to(path.parent).as_posix().encode() + data.read_bytes())
    return digest.hexdigest()


def _is_text(statement: ast.stmt) -> bool:
    """A string that stands alone: the docstring of what holds it, or of the name before it."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


@cache
def _imported(module: str) -> tuple[str, ...]:
    """Modules of this package that a module's import statements name."""
    names: list[str] = []
    for node in _statements(_tree(module)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                raise ImportError(f"{module}: import by the full name, not relatively")
            submodules = [f"{base}.{alias.name}" for alias in node.names]
            names += [base, *(s for s in submodules if s.startswith(PACKAGE) and _is_module(s))]
    return tuple(n for n in names if n == PACKAGE or n.startswith(f"{PACKAGE}."))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only a type checker runs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and _is_type_checking(child.test):
            for other in child.orelse:
                yield other
                yield from _statements(other)
        else:
            yield child
            yield from _statements(child)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
