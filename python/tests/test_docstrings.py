"""What is public has a docstring in the form of numpydoc: each parameter, what is returned, what is raised."""

import ast
import collections
import importlib
import importlib.util
import inspect
import pkgutil
import re
import textwrap

import pytest

import annulus

# Least numbers of functions and classes, so that a search that finds nothing fails.
MODULES = {
    "annulus": (150, 15),
    "annulus.floky": (40, 3),
    "annulus.floky.stats": (3, 0),
    "annulus.lax": (2, 0),
    "annulus.mpi": (20, 2),
    "annulus.nanopq": (20, 4),
    "annulus.pynndescent": (8, 2),
    "annulus.sklearn": (8, 2),
}


def section(text, title):
    """(names, lines of words) of each item of a section: names are not indented."""
    lines = text.split("\n")
    rules = [i for i, line in enumerate(lines) if re.fullmatch("-{3,}", line)]
    begins = [i for i in rules if lines[i - 1] == title]
    if not begins:
        return []
    end = min((i - 1 for i in rules if i > begins[0]), default=len(lines))
    items = []
    for line in filter(None, lines[begins[0] + 1 : end]):
        if line.startswith(" "):
            items[-1][1].append(line)
        else:
            items.append((line.partition(" : ")[0].split(", "), []))
    return items


def definition_of(function):
    """(its definition, its docstring): of a function in C++ by the signature that nanobind keeps."""
    if not hasattr(function, "__nb_signature__"):
        return ast.parse(textwrap.dedent(inspect.getsource(function))).body[0], function.__doc__ or ""
    signature, text = function.__nb_signature__[0][:2]
    definition = ast.parse(re.sub(r"\\\d+", "None", signature) + ": pass").body[0]
    if parameters(definition):
        definition.body = ast.parse("raise").body  # of a wrong type, if of nothing else
    return definition, text or ""


def parameters(definition):
    of = definition.args
    names = [each.arg for each in (*of.posonlyargs, *of.args, *of.kwonlyargs)]
    names += [f"**{of.kwarg.arg}"] if of.kwarg else []
    return [name for name in names if name not in ("self", "cls")]


def own_statements(definition):
    """Those of a function, not of functions within it."""
    left = list(definition.body)
    while left:
        statement = left.pop()
        yield statement
        if not isinstance(statement, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            left.extend(ast.iter_child_nodes(statement))


def returns(definition):
    if definition.returns is not None:
        return not (isinstance(definition.returns, ast.Constant) and definition.returns.value is None)
    return any(isinstance(each, ast.Return) and each.value is not None for each in own_statements(definition))


def raises(definition):
    return any(isinstance(each, ast.Raise) for each in own_statements(definition))


def faults_of_parameters(name, text, wanted):
    items = section(text, "Parameters")
    given = [each for names, _ in items for each in names]
    yield from (f"{name}: no parameter {each}" for each in wanted if each not in given)
    yield from (f"{name}: parameter {each}, which it does not have" for each in given if each not in wanted)
    for names, words in items:
        if not words:
            yield f"{name}: no words on {', '.join(names)}"


def faults_of_function(name, function):
    definition, text = definition_of(function)
    text = inspect.cleandoc(text)
    if not text:
        yield f"{name}: no docstring"
        return
    yield from faults_of_parameters(name, text, parameters(definition))
    if returns(definition) and not section(text, "Returns"):
        yield f"{name}: no Returns"
    if raises(definition) and not section(text, "Raises"):
        yield f"{name}: no Raises"


def faults_of_class(name, cls):
    text = inspect.cleandoc(cls.__doc__ or "")
    if not text:
        yield f"{name}: no docstring"
    if hasattr(cls, "_fields"):
        fields = [field for field in cls._fields if getattr(cls, field).__doc__.startswith("Alias for field")]
        yield from (f"{name}.{field}: no docstring" for field in fields)
    elif inspect.isfunction(cls.__init__) and of_package(cls.__init__):
        yield from faults_of_parameters(name, text, parameters(definition_of(cls.__init__)[0]))


def of_package(thing):
    return (getattr(thing, "__module__", None) or "").split(".")[0] in ("annulus", __name__)


def members(cls):
    """(name, function or property) of what is public of a class and of its bases in the package."""
    for name in dir(cls):
        if name.startswith("_") or hasattr(cls, "_fields"):
            continue
        owner = next(base for base in cls.__mro__ if name in vars(base))
        member = vars(owner)[name]
        if of_package(owner) and (callable(member) or isinstance(member, (property, classmethod, staticmethod))):
            yield name, getattr(member, "__func__", member)


def faults_in(things):
    """(faults, number of functions, number of classes) of (name, thing), each looked at once."""
    faults, functions, n_classes, seen = [], [], 0, set()
    for name, thing in things:
        if inspect.isclass(thing):
            n_classes += 1
            faults += faults_of_class(name, thing)
            functions += [(f"{name}.{member}", value) for member, value in members(thing)]
        elif callable(thing):
            functions.append((name, thing))
    for name, function in functions:
        if id(function) in seen:
            continue
        seen.add(id(function))
        if isinstance(function, property):
            faults += [] if function.__doc__ else [f"{name}: no docstring"]
        else:
            faults += faults_of_function(name, function)
    return faults, len(functions), n_classes


def public_names(module):
    names = getattr(module, "__all__", None)
    if names is None:
        names = [name for name, value in vars(module).items() if inspect.isfunction(value)]
    return [(f"{module.__name__}.{name}", getattr(module, name)) for name in names]


@pytest.mark.parametrize("name", MODULES)
def test_all_that_is_public_is_documented(name):
    try:
        module = importlib.import_module(name)
        things = public_names(module)
    except ImportError as error:  # of a package that it stands in for, or stands on
        pytest.skip(str(error))
    assert inspect.cleandoc(module.__doc__ or "")
    faults, n_functions, n_classes = faults_in(things)
    assert "\n".join(faults) == ""
    least_functions, least_classes = MODULES[name]
    assert n_functions >= least_functions and n_classes >= least_classes


def test_all_modules_are_looked_at():
    for module in pkgutil.walk_packages(annulus.__path__, "annulus."):
        if "._" in module.name:
            continue
        source = importlib.util.find_spec(module.name).loader.get_source(module.name)
        assert "__all__" not in source or module.name in MODULES, module.name


_Fields = collections.namedtuple("_Fields", ["told", "untold"])
_Fields.__doc__ = "A tuple."
_Fields.told.__doc__ = "Something."


class _Planted:
    """Has faults of each kind.

    Parameters
    ----------
    size
        Something.
    """

    def __init__(self, size, colour):
        pass

    def complete(self, x, *, y=1, **others):
        """Lacks nothing.

        Parameters
        ----------
        x, y : int
            Two numbers,

            and more.
        **others
            Ignored.

        Returns
        -------
        int
            A number.

        Raises
        ------
        ValueError
            Always.
        """
        if x:
            raise ValueError
        return y

    def silent(self):
        pass

    @classmethod
    def lacks_all(cls, x, y):
        """Something.

        Parameters
        ----------
        x : int
        z : int
            No parameter.
        """
        if x:
            raise ValueError
        return y

    @property
    def bare(self):
        return 1

    def nested(self):
        """Raises and returns nothing itself."""

        def inner():
            raise ValueError

        return


def test_planted_faults_are_found():
    faults, n_functions, n_classes = faults_in([("Planted", _Planted), ("Fields", _Fields)])
    assert (n_functions, n_classes) == (5, 2)
    assert sorted(faults) == [
        "Fields.untold: no docstring",
        "Planted.bare: no docstring",
        "Planted.lacks_all: no Raises",
        "Planted.lacks_all: no Returns",
        "Planted.lacks_all: no parameter y",
        "Planted.lacks_all: no words on x",
        "Planted.lacks_all: parameter z, which it does not have",
        "Planted.silent: no docstring",
        "Planted: no parameter colour",
    ]
