"""Pages of the Python API, a page for each public module, from the sources: the docstrings of the package and those that its
compiled module gets in python/src/*.cpp. Nothing is imported or compiled."""
import ast
import pathlib
import re
import textwrap

from sphinx.ext.napoleon import Config, NumpyDocstring

MODULES = {
    "annulus": "The package",
    "annulus.sklearn": "In place of scikit-learn's neighbours",
    "annulus.pynndescent": "In place of pynndescent",
    "annulus.nanopq": "In place of nanopq",
    "annulus.floky": "In place of floky",
    "annulus.floky.stats": "In place of floky.stats",
    "annulus.lax": "In place of jax.lax's top-k",
    "annulus.mpi": "Over MPI",
}


# Types are words, in which Sphinx would look for names.
FORM = Config(
    napoleon_use_param=False, napoleon_use_rtype=False, napoleon_custom_sections=[("Attributes", "params_style")]
)


# ---- What the compiled module has, told by its C++ ----------------------------------------------------------------

STRING = r'R"\((.*?)\)"|"((?:[^"\\]|\\.)*)"'


def string_of(text, constants):
    """The value of string literals side by side, or of a constant; None of anything else."""
    text = text.strip()
    if re.fullmatch(rf"(?:(?:{STRING})\s*)+", text, re.DOTALL):
        return "".join(raw or ast.literal_eval(f'"{plain}"') for raw, plain in re.findall(STRING, text, re.DOTALL))
    return constants.get(text.removeprefix("text::"))


def arguments_at(text, start):
    """The arguments of a call whose parenthesis opens before `start`."""
    found, depth, begin, place = [], 0, start, start
    while True:
        if string := re.compile(STRING, re.DOTALL).match(text, place):
            place = string.end()
            continue
        sign = text[place]
        if depth == 0 and sign in ",)":
            found.append(text[begin:place].strip())
            begin = place + 1
            if sign == ")":
                return found
        depth += (sign in "([{") - (sign in ")]}")
        place += 1


def signature_of(arguments, constants, is_method):
    for argument in arguments:
        inner = re.fullmatch(r"nb::sig\((.*)\)", argument, re.DOTALL)
        value = string_of(inner[1] if inner else argument, constants)
        if value and value.startswith("def "):
            return ast.parse(f"{value}: ...").body[0]
    parts = ["self"] if is_method else []
    for argument in arguments:
        if argument == "nb::kw_only()":
            parts.append("*")
        elif given := re.fullmatch(r'(?:nb::)?arg\("(\w+)"\)(?:\.none\(\))?(?:\s*=\s*(.*))?', argument):
            parts.append(given[1] + (f" = {given[2].capitalize()}" if given[2] else ""))
    return ast.parse(f"def f({', '.join(parts)}): ...").body[0]


def with_docstring(node, texts):
    node.body = [ast.Expr(ast.Constant(texts[-1]))] if texts else []
    return node


def compiled_module(folder):
    """Its functions and classes by name, as nodes of Python's syntax."""
    sources = [path.read_text() for path in sorted([*folder.glob("*.cpp"), *folder.glob("*.hpp")])]
    constants = {}
    for source in sources:
        for each in re.finditer(rf"constexpr char (\w+)\[\] =\s*((?:(?:{STRING})\s*)+);", source, re.DOTALL):
            constants[each[1]] = string_of(each[2], {})
    found = {"metrics": with_docstring(ast.ClassDef("metrics", [], [], [], []), ["tuple of str: the names of all metrics."])}
    for source in sources:
        members = []
        for call in re.finditer(r"(nb::class_<\w+>|module\.def|\.def(?:_static|_prop_ro)?|\bdef_top_k)\(", source):
            is_class, is_member = call[1].startswith("nb"), call[1].startswith(".")
            arguments = arguments_at(source, call.end())[is_class:]
            name = string_of(arguments[0], {})
            if name is None:  # in the definition of def_top_k
                continue
            texts = [text for each in arguments[1:] if (text := string_of(each, constants)) and not text.startswith("def ")]
            if is_class:
                found[name] = with_docstring(ast.ClassDef(name, [], [], [], []), texts)
                members = found[name].body
                continue
            node = with_docstring(signature_of(arguments, constants, is_member and call[1] != ".def_static"), texts)
            node.name = name
            node.decorator_list = [ast.Name("property")] * (call[1] == ".def_prop_ro")
            if is_member:
                members.append(node)
            else:
                found[name] = node
    return found


# ---- The package --------------------------------------------------------------------------------------------------


class Package:
    def __init__(self, root):
        self.folder = root / "python/src"
        self.compiled = compiled_module(self.folder)
        self.trees = {}

    def tree(self, module):
        if module not in self.trees:
            path = self.folder.joinpath(*module.split("."))
            path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            self.trees[module] = (ast.parse(path.read_text()) if path.is_file() else None, path.name == "__init__.py")
        return self.trees[module][0]

    def imported_from(self, module, node):
        """The module that a `from` in another names."""
        if node.level == 0:
            return node.module
        parts = module.split(".")
        parts = parts[: len(parts) - node.level + self.trees[module][1]]
        return ".".join([*parts, *filter(None, [node.module])])

    def found(self, module, name):
        """The definition of a name, and the module that it is in: (None, None) for a module or a name from elsewhere."""
        if module == "annulus._core":
            return self.compiled.get(name), module
        if not module.startswith("annulus") or self.tree(module) is None:
            return None, None
        for node in self.tree(module).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
                return node, module
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == f"{name}.__doc__":
                return with_docstring(ast.ClassDef(name, [], [], [], []), [ast.literal_eval(node.value)]), module
        for node in ast.walk(self.tree(module)):  # within functions too, of what is imported when it is used
            if isinstance(node, ast.ImportFrom) and self.imported_from(module, node) != module:
                for alias in node.names:
                    if name == (alias.asname or alias.name):
                        return self.found(self.imported_from(module, node), alias.name)
        return None, None

    def public_names(self, module):
        for node in self.tree(module).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                return ast.literal_eval(node.value)
        return [node.name for node in self.tree(module).body
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")]

    def members(self, node, module):
        """Public members of a class and of its bases in the package, those of derived classes first."""
        own = {}
        for member in node.body:
            if isinstance(member, ast.FunctionDef) and (not member.name.startswith("_") or member.name == "__init__"):
                own.setdefault(member.name, member)
        for base in node.bases:
            name, where = ast.unparse(base), module
            if "." in name:
                name, where = name.rsplit(".", 1)[1], "annulus._core"
            is_private = name.startswith("_") or where == "annulus._core"
            definition, where = self.found(where, name)
            if definition is not None and is_private:  # those of public bases are with these
                own = {**self.members(definition, where), **own}
        return own

    def constructor(self, node, module):
        """The __init__ of a class or of its bases; None where they have none in the package."""
        for member in node.body:
            if isinstance(member, ast.FunctionDef) and member.name == "__init__":
                return member
        for base in node.bases:
            definition, where = self.found(module, ast.unparse(base))
            if isinstance(definition, ast.ClassDef) and (found := self.constructor(definition, where)):
                return found
        return None


# ---- Their text ---------------------------------------------------------------------------------------------------


def code_of(match):
    return f":py:obj:`{match[1]}`" if re.fullmatch(r"annulus[\w.]*", match[1]) else f"``{match[1]}``"


def text_of(docstring):
    """A docstring in numpydoc's form as reStructuredText; code that is indented becomes a listing."""
    docstring = textwrap.dedent(docstring or "") if (docstring or "").startswith("\n") else clean(docstring or "")
    docstring = re.sub(r"^(\w.*),\n(?=\w)", r"\1, ", docstring, flags=re.MULTILINE)  # names of parameters in two lines
    docstring = re.sub(r"(?<![:`])`([^`\n]+)`(?!`)", code_of, docstring)
    head, *rest = re.split(r"(?=^[A-Z][a-z]+\n-+$)", docstring, maxsplit=1, flags=re.MULTILINE)
    head = re.sub(r"\n::(?=\n\n    )", "", head).replace("::\n\n    ", ":\n\n    ")
    head = re.sub(r"\n\n((?:    .*\n?|\n(?=    ))+)", r"\n\n.. code-block:: python\n\n\1\n", head)
    return NumpyDocstring(head + "".join(rest), FORM).lines()


def clean(docstring):
    first, _, rest = docstring.partition("\n")
    return f"{first.strip()}\n{textwrap.dedent(rest)}"


def arguments_of(function, is_method):
    arguments = ast.unparse(function.args)
    return re.sub(r"^self(, )?", "", arguments) if is_method else arguments


def result_of(function):
    return f" -> {ast.unparse(function.returns)}" if function.returns else ""


def indented(lines):
    return [f"   {line}" if line else "" for line in lines]


def directive(kind, signature, docstring, inner=()):
    return [f".. py:{kind}:: {signature}", "", *indented(text_of(docstring)), "", *indented(inner), ""]


def function_text(function, kind, is_method=False):
    if any(ast.unparse(decorator).split(".")[-1] == "property" for decorator in function.decorator_list):
        return directive("property", function.name, ast.get_docstring(function, clean=False))
    decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
    kind = {"staticmethod": "staticmethod", "classmethod": "classmethod"}.get(next(iter(decorators), ""), kind)
    arguments = re.sub(r"^cls(, )?", "", arguments_of(function, is_method and kind == "method" or kind == "classmethod"))
    return directive(kind, f"{function.name}({arguments}){result_of(function)}", ast.get_docstring(function, clean=False))


def class_text(package, node, module):
    members = package.members(node, module)
    members.pop("__init__", None)
    constructor = package.constructor(node, module)
    inner = []
    for member in members.values():
        inner += function_text(member, "method", is_method=True)
    signature = f"{node.name}({arguments_of(constructor, True)})" if constructor else node.name
    return directive("class", signature, ast.get_docstring(node, clean=False), inner)


def page(package, module, title):
    lines = [f"{module}: {title}", "=" * len(f"{module}: {title}"), "", f".. py:module:: {module}", ""]
    lines += [*text_of(ast.get_docstring(package.tree(module), clean=False)), ""]
    for name in sorted(package.public_names(module), key=str.lower):
        node, where = package.found(module, name)
        if name == "metrics":
            lines += directive("data", name, ast.get_docstring(node, clean=False))
        elif isinstance(node, ast.ClassDef):
            lines += class_text(package, node, where)
        elif node is not None:
            lines += function_text(node, "function")
        elif f"{module}.{name}" not in MODULES:
            raise ValueError(f"api_python.py does not find {name} of {module}")
    return "\n".join(lines)


def pages(root):
    """Texts of pages by their names."""
    package = Package(root)
    found = {f"api/python/{module}.rst": page(package, module, title) for module, title in MODULES.items()}
    names = "".join(f"   {module}\n" for module in MODULES)
    return found | {"api/python/index.rst": f"Python\n======\n\n.. toctree::\n\n{names}"}
