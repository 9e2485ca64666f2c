"""Pages of the C++ and C API from Doxygen's XML: a page for each room, a section for each header, a directive of Sphinx's
C++ or C domain for each public name. A new header or room appears by itself."""
import pathlib
import re
import xml.etree.ElementTree as ElementTree

# Folders of include/annulus, the page they are on, and its title. Others have a page of their own.
ROOMS = {
    "knn": ("knn", "Exact search"),
    "nndescent": ("graphs", "k-NN graphs and graph search"),
    "quantization": ("quantization", "Quantisation"),
    "lsh": ("lsh", "Hashing"),
    "approx_top_k": ("top_k", "Approximate top-k"),
    "metrics": ("metrics", "Metrics"),
    "core/metric": ("metric_protocol", "What a metric is, and common ones"),
    "core/rows": ("rows", "Rows"),
    "core/result": ("results", "Results and filters"),
    "core": ("core", "Threads, random numbers, errors and other tools"),
    "storage": ("storage", "Files and archives"),
    "io/index": ("index_files", "Index files"),
    "io/data": ("data_files", "Data files"),
    "io/faiss": ("faiss_files", "Faiss's files"),
    "dynamic": ("dynamic", "Types known at run time"),
    "disk": ("disk", "Indexes on disk, and builds in pieces"),
    "mpi": ("mpi", "Shards over MPI"),
    "": ("version", "The version, and what the build must say"),
}
KINDS = ("define", "typedef", "enum", "variable", "function")
LEFT_OUT = ("persist", "defect")  # called by archives alone


def text_of(element):
    return "" if element is None else " ".join("".join(element.itertext()).split())


# ---- Descriptions -------------------------------------------------------------------------------------------------


class Description:
    """What a docstring says, as reStructuredText."""

    def __init__(self, element, known):
        self.known = known
        place = element.find("location")
        is_of_c = place is not None and place.get("file").endswith(".h") or element.get("kind") == "define"
        self.between_names = "," if is_of_c else ", "  # what stands before a space is a type there
        self.blocks, self.fields, self.throws = [], [], []
        for part in ("briefdescription", "detaileddescription"):
            for child in (found if (found := element.find(part)) is not None else ()):
                self.add(child)

    def __bool__(self):
        return bool(self.blocks or self.fields)

    def lines(self):
        return "\n\n".join([*self.blocks, "\n".join(self.fields)] if self.fields else self.blocks).split("\n")

    def add(self, block):
        if block.tag == "para":
            self.blocks += self.paragraph(block)
        elif block.tag == "verbatim":
            self.blocks.append(listing(block.text))
        elif block.tag == "itemizedlist":
            self.blocks.append("\n".join(self.item(item) for item in block))
        elif block.tag == "parameterlist":
            self.add_parameters(block)
        elif block.tag == "simplesect" and block.get("kind") == "return":
            self.fields.append(field("returns", self.flowing(block)))
        else:
            raise ValueError(f"api_cpp.py does not know <{block.tag} kind={block.get('kind')!r}> of Doxygen")

    def paragraph(self, para):
        """The text of a paragraph, cut where another block stands in it."""
        blocks, text = [], escaped(para.text)
        for child in para:
            if child.tag in ("verbatim", "itemizedlist", "parameterlist", "simplesect"):
                blocks.append(text)
                before = len(self.blocks)
                self.add(child)
                blocks += self.blocks[before:]
                del self.blocks[before:]
                text = ""
            else:
                text += self.inline(child)
            text += escaped(child.tail)
        return [block.strip() for block in [*blocks, text] if block.strip()]

    def inline(self, element):
        text = "".join(element.itertext())
        if element.tag == "computeroutput":
            if text in self.known:
                return f"\\ :cpp:any:`{text} <{self.known[text]}>`\\ "
            return f"\\ ``{text}``\\ "
        if element.tag == "ulink":
            return f"\\ `{escaped(text)} <{element.get('url')}>`__\\ "
        if element.tag == "ref":
            return escaped(text)
        if element.tag in ("bold", "emphasis"):
            return f"\\ *{escaped(text)}*\\ "
        if element.tag in ("ndash", "mdash"):
            return "-"
        raise ValueError(f"api_cpp.py does not know <{element.tag}> of Doxygen")

    def flowing(self, element):
        """The paragraphs of an element as one."""
        return " ".join(" ".join(self.paragraph(para)) for para in element.iter("para"))

    def item(self, item):
        return "- " + self.flowing(item).replace("\n", "\n  ")

    def add_parameters(self, parameters):
        kind = {"param": "param", "templateparam": "tparam", "exception": "throws"}[parameters.get("kind")]
        for each in parameters:
            names = self.between_names.join(text_of(name) for name in each.iter("parametername"))
            text = self.flowing(each.find("parameterdescription"))
            if kind != "throws":
                self.fields.append(field(f"{kind} {names}", text))
            elif re.fullmatch(r"[\w:]+::\w+|\w+_error|cancelled", names):
                self.fields.append(field(f"throws {names}", text))
            else:  # "what the metric throws"
                self.blocks.append(f"Throws {names} {text}")


def escaped(text):
    return re.sub(r"([\\*`_|<>])", r"\\\1", text or "")


def field(name, text):
    return f":{name}: " + " ".join(text.split())


def listing(text, language="cpp"):
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    return "\n".join([f".. code-block:: {language}", "", *(f"   {line}" if line else "" for line in lines)])


# ---- Declarations -------------------------------------------------------------------------------------------------


def template_of(element):
    """template <...> requires ..., as far as it is there."""
    parameters = element.find("templateparamlist")
    if parameters is None:
        return ""
    texts = []
    for each in parameters:
        kind, name, value = (text_of(each.find(part)) for part in ("type", "declname", "defval"))
        texts.append(" ".join(filter(None, [kind, name])) + (f" = {value}" if value else ""))
    return f"template<{', '.join(texts)}> {requires_of(element)}"


def requires_of(element):
    clause = text_of(element.find("requiresclause"))
    return f"requires {clause} " if clause and "detail::" not in clause else ""


def cleaned(declaration):
    """What Sphinx reads: without separators of digits, attributes and spaces of Doxygen's."""
    declaration = re.sub(r"(?<=\d) ?'(?=\d)", "", declaration)
    declaration = re.sub(r"\[\[.*?\]\] ?|\binline ", "", declaration)
    declaration = re.sub(r"\s*(<|>|\(|\))\s*(?=[<>(),&*:]|$)", r"\1", declaration)
    return " ".join(declaration.replace("< ", "<").replace("( ", "(").split())


def function_of(member):
    arguments = re.sub(r"\s*=\s*(default|delete|0)$", "", text_of(member.find("argsstring")))
    kind = text_of(member.find("type"))
    words = ["explicit"] * (member.get("explicit") == "yes") + ["static"] * (member.get("static") == "yes")
    trailing = "" if member.find("templateparamlist") is not None else requires_of(member)
    return cleaned(f"{template_of(member)}{' '.join(words)} {kind} {text_of(member.find('name'))}{arguments} {trailing}")


def variable_of(member):
    value = text_of(member.find("initializer"))
    static = "static " if member.get("static") == "yes" and "static" not in text_of(member.find("type")) else ""
    value = value if len(value) < 60 and "[&]" not in value and not value.startswith("= [](") else ""
    return cleaned(
        f"{template_of(member)}{static}{text_of(member.find('type'))} {text_of(member.find('name'))}"
        f"{text_of(member.find('argsstring'))} {value}"
    )


def alias_of(member):
    target = text_of(member.find("type"))
    is_readable = ".template" not in target and "detail::" not in target
    return cleaned(f"{template_of(member)}{text_of(member.find('name'))}" + (f" = {target}" if is_readable else ""))


def class_of(compound, name):
    bases = [text_of(base) for base in compound.iter("basecompoundref") if base.get("prot") == "public"]
    bases = [base for base in bases if "detail::" not in base]
    return cleaned(f"{template_of(compound)}{name}" + (f" : public {', public '.join(bases)}" if bases else ""))


# ---- The names of a page ------------------------------------------------------------------------------------------


def is_public(element):
    return element.get("prot", "public") == "public"


def is_shown(member, class_name=""):
    name, arguments = text_of(member.find("name")), text_of(member.find("argsstring"))
    if not is_public(member) or member.get("kind") not in KINDS or name in LEFT_OUT or name.startswith(("~", "@")):
        return False
    if member.get("kind") == "typedef" and text_of(member.find("type")) == f"enum {name}":  # C's second name
        return False
    is_guide = member.get("kind") == "function" and "->" in arguments and not text_of(member.find("type"))
    is_explanation = re.match(r"\(!.*explained", text_of(member.find("requiresclause")))  # of an error, in words
    return not (is_guide or is_explanation or re.search(r"= ?delete$", arguments))


class Reference:
    """All compounds of the XML, and the pages that show them."""

    def __init__(self, xml):
        self.compounds = {}
        for file in sorted(xml.glob("*.xml")):
            for compound in ElementTree.parse(file).getroot().iter("compounddef"):
                self.compounds[compound.get("id")] = compound
        self.known, is_twice = {}, set()
        for kind, _, name, _ in self.entries():
            short = name.split("::")[-1]
            is_twice |= {short} & self.known.keys()
            if kind in ("class", "struct", "concept", "function"):
                self.known[short] = name
        self.known = {short: name for short, name in self.known.items() if short not in is_twice}

    def entries(self):
        """Kind, element, qualified name and header of all names outside of classes."""
        for compound in self.compounds.values():
            kind, name = compound.get("kind"), text_of(compound.find("compoundname"))
            if kind in ("class", "struct", "concept"):
                outer = name.rsplit("::", 1)[0].split("<")[0]
                is_nested = any(text_of(other.find("compoundname")) == outer for other in self.classes())
                if is_public(compound) and not is_nested and name.startswith("annulus"):
                    yield kind, compound, name, compound.find("location").get("file")
            elif (kind == "namespace" and name.startswith("annulus")) or kind == "file":
                for member in compound.iter("memberdef"):
                    is_of_c = member.find("location").get("file").endswith(".h")
                    if is_shown(member) and (kind == "namespace" or is_of_c or member.get("kind") == "define"):
                        qualified = text_of(member.find("name"))
                        qualified = f"{name}::{qualified}" if kind == "namespace" else qualified
                        yield member.get("kind"), member, qualified, member.find("location").get("file")

    def classes(self):
        return [compound for compound in self.compounds.values() if compound.get("kind") in ("class", "struct")]

    def described(self, element):
        return Description(element, self.known)

    def directives(self, entries, domain):
        """The directives of names of one scope, in the order of the header; overloads without a docstring share one."""
        lines, last = [], None
        for kind, element, name in sorted(entries, key=lambda entry: int(entry[1].find("location").get("line"))):
            short = name if kind == "class" else name.split("::")[-1]
            text = self.described(element)
            if kind == "function" and not text and last and last[0] == short:
                lines.insert(last[1], " " * len(f".. {domain}:function:: ") + function_of(element))
                last = (short, last[1] + 1)
                continue
            new = self.directive(kind, element, name, text, domain)
            last = (short, len(lines) + 1) if kind == "function" else None
            lines += new
        return lines

    def directive(self, kind, element, name, text, domain):
        short, inner = name.split("::")[-1], []
        if kind in ("class", "struct"):
            head = f"{domain}:{kind}:: {class_of(element, short) if domain == 'cpp' else short}"
            inner = self.members(element, domain)
        elif kind == "concept":
            head = f"cpp:concept:: {template_of(element)}{short}"
            definition = text_of(element.find("initializer")).split("=", 1)[-1]
            inner = listing(cleaned(definition)).split("\n") + [""] if "detail::" not in definition else []
        elif kind == "enum":
            head = f"{domain}:{'enum-class' if element.get('strong') == 'yes' else 'enum'}:: {short}"
            for value in element.iter("enumvalue"):
                initializer = text_of(value.find("initializer"))
                inner += [f".. {domain}:enumerator:: {text_of(value.find('name'))} {initializer if domain == 'cpp' else ''}".rstrip(), ""]
                inner += [*indented(self.described(value).lines()), ""]
        elif kind == "define":
            head = f"c:macro:: {short}" + ("(" + ", ".join(text_of(p) for p in element.iter("defname")) + ")" if element.find("param") is not None else "")
        elif kind == "typedef":
            if domain == "c":
                head = "c:type:: " + re.sub(r"^typedef (struct \w+ )?", "", cleaned(text_of(element.find("definition"))))
            else:
                head = f"cpp:type:: {alias_of(element)}"
        elif kind == "variable":
            head = f"{domain}:member:: {variable_of(element)}"
        else:
            head = f"{domain}:function:: {function_of(element)}"
        return [f".. {head}", "", *indented(text.lines()), "", *indented(inner), ""]

    def members(self, compound, domain):
        name = text_of(compound.find("compoundname"))
        members = [(member.get("kind"), member, text_of(member.find("name"))) for member in compound.iter("memberdef")
                   if is_shown(member)]
        for nested in compound.iter("innerclass"):
            inner = self.compounds.get(nested.get("refid"))
            if nested.get("prot") == "public" and inner is not None and "<" not in text_of(inner.find("compoundname")):
                members.append((inner.get("kind"), inner, text_of(inner.find("compoundname"))))
        return self.directives(members, domain)


def indented(lines):
    return [f"   {line}" if line else "" for line in lines]


def heading(text, line):
    return f"{text}\n{line * len(text)}\n"


def room_of(header):
    folder = str(pathlib.PurePosixPath(header).parent.relative_to("annulus")).replace(".", "")
    while folder and folder not in ROOMS and "/" in folder:
        folder = folder.rsplit("/", 1)[0]
    return ROOMS.get(folder, (folder, folder))


def pages(xml):
    """Texts of pages by their names."""
    reference = Reference(xml)
    headers = {}
    for kind, element, name, header in reference.entries():
        headers.setdefault(header, []).append((kind, element, name))
    summaries = {compound.find("location").get("file"): reference.described(compound)
                 for compound in reference.compounds.values() if compound.get("kind") == "file"}
    rooms = {room: [] for room in [*ROOMS.values()]}
    for header in sorted(headers):
        if header.endswith(".h"):
            continue
        part = [heading(header.removeprefix("annulus/"), "-"), *summaries[header].lines(), ""]
        scopes = {name.rsplit("::", 1)[0] for kind, _, name in headers[header] if kind != "define"}
        for scope in sorted(scopes) or [""]:
            own = [entry for entry in headers[header] if entry[0] == "define" or entry[2].rsplit("::", 1)[0] == scope]
            part += [f".. cpp:namespace:: {scope}", ""] if scope else []
            part += reference.directives(own, "cpp")
        rooms.setdefault(room_of(header), []).extend(part)
    found = {f"api/cpp/{name}.rst": "\n".join([heading(title, "="), *part])
             for (name, title), part in rooms.items() if part}
    names = [pathlib.PurePosixPath(page).stem for page in found]
    found["api/cpp/index.rst"] = heading("C++", "=") + "\n.. toctree::\n\n" + "".join(f"   {name}\n" for name in names)
    of_c = "annulus/annulus.h"
    found["api/c.rst"] = "\n".join([heading("C", "="), *summaries[of_c].lines(), "", *reference.directives(headers[of_c], "c")])
    return found
