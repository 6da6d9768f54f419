"""Version of the code behind a computation: the meaning of all modules that it can import.

A module counts by its syntax tree without docstrings, so neither a comment nor a blank line
changes a version. Import statements say which modules count: all of this package that the entry
imports, directly or through others, also inside functions. Imports for type checkers only do not
count. A module that is registered by lying in a folder is imported by name, and so counts only
where it is named (see `names_in`).
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "price_physics"
_ROOT = Path(__file__).parent


def names_in(package: str) -> list[str]:
    """List the names of the modules in a folder of this package, without importing them.

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
    for name in sorted(closure(*modules) - {PACKAGE}):  # which holds the release number
        digest.update(f"{name}={_read(name)[1]}\n".encode())
        path = _path(name)
        if path.name == "__init__.py":  # a package's templates are part of it
            for data in sorted(path.parent.glob("templates/*")):
                digest.update(data.name.encode() + data.read_bytes())
    return digest.hexdigest()[:16]


@cache
def closure(*modules: str) -> frozenset[str]:
    """Find the modules of this package that `modules` can import, with them and their packages."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _read(name)[0]
            if "." in name:
                waiting.append(name.rpartition(".")[0])
    return frozenset(found)


def _path(module: str) -> Path:
    if not _is_module(module):
        raise ModuleNotFoundError(f"no module {module} in {_ROOT}", name=module)
    base = _ROOT.joinpath(*module.split(".")[1:])
    package = base / "__init__.py"
    return package if package.is_file() else base.with_suffix(".py")


@cache
def _is_module(name: str) -> bool:
    base = _ROOT.joinpath(*name.split(".")[1:])
    return (base / "__init__.py").is_file() or base.with_suffix(".py").is_file()


def _read(module: str) -> tuple[tuple[str, ...], str]:
    """Modules of this package that a module imports, and the hash of its meaning."""
    path = _path(module)
    stat = path.stat()
    return _parsed(module, path, stat.st_mtime_ns, stat.st_size)


@cache
def _parsed(module: str, path: Path, mtime_ns: int, size: int) -> tuple[tuple[str, ...], str]:
    """Do what `_read` does; a changed time or size makes the cache read the file again."""
    tree = ast.parse(path.read_bytes())
    imported = tuple(_imported(module, tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [s for s in node.body if not _is_docstring(s)]
    return imported, hashlib.sha256(_meaning(tree).encode()).hexdigest()


def _is_docstring(statement: ast.stmt) -> bool:
    """Whether a string stands alone: it documents what holds it, or the name before it."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _imported(module: str, tree: ast.Module) -> Iterator[str]:
    """Yield the modules of this package that import statements name."""
    for node in _statements(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ImportError(f"{module}: import by the full name, not relatively")
            base = node.module or ""
            submodules = (f"{base}.{alias.name}" for alias in node.names)
            names = [base, *(s for s in submodules if s.startswith(PACKAGE) and _is_module(s))]
        yield from (n for n in names if n == PACKAGE or n.startswith(f"{PACKAGE}."))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every node but those that only a type checker reads."""
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


def _meaning(node: object) -> str:
    """Write down a syntax tree without its empty fields: which there are, Python's release says."""
    if isinstance(node, list):
        return f"[{','.join(map(_meaning, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
    return f"{type(node).__name__}({','.join(f'{n}={_meaning(v)}' for n, v in fields)})"
