#!/usr/bin/env python3
"""Lists what the docstrings of the public names in include/annulus lack, by Doxygen's XML; fails where anything is.

Doxygen runs into a temporary folder unless a folder of XML is given, which is to come from a run with EXTRACT_ALL.

Public is what users name: not what is in a namespace `detail` or `simd`, in dynamic/engine, private or protected. Each
has a description; a function also a \\param for each named parameter, \\returns unless it returns nothing, and \\throws
unless it is noexcept, of a type or of "any exception of f". Left out are
- what C++ defines: copies, moves, destructors, deduction guides, what is defaulted or deleted;
- friends, which are operators whose meaning C++ fixes, and access for classes of the library;
- a specialisation of a template, which is described there; its members are not left out;
- what an overload above tells already, of the same name in the same header: parameters, result, errors;
- variables declared in one line with one that is described;
- members of metrics, which are classes with a static `name`, that have no docstring and are as metric_members says;
- what only archives call, as storage/archive.hpp says: `persist`, `defect`, constructors from `unfilled`;
- names of other libraries;
- of the C interface: the status that functions return, exceptions, which it has none of, the macro before each
  function, and names of enumerations a second time.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

root = pathlib.Path(__file__).resolve().parent.parent

settings = """
QUIET = YES
RECURSIVE = YES
FILE_PATTERNS = *.hpp *.h
GENERATE_HTML = NO
GENERATE_LATEX = NO
GENERATE_XML = YES
XML_PROGRAMLISTING = NO
HAVE_DOT = NO
EXTRACT_ALL = YES
TYPEDEF_HIDES_STRUCT = YES
MACRO_EXPANSION = YES
EXPAND_ONLY_PREDEF = YES
PREDEFINED = ANNULUS_ARCH=inline_namespace ANNULUS_EXPORT= __SSE2__
"""


def run_doxygen(doxygen, include, output):
    folders = {"INPUT": include, "STRIP_FROM_PATH": include, "OUTPUT_DIRECTORY": output}
    folders["WARN_LOGFILE"] = pathlib.Path(output, "warnings")
    lines = settings + "".join(f'{name} = "{folder}"\n' for name, folder in folders.items())
    subprocess.run([doxygen, "-"], input=lines, text=True, check=True, stdout=subprocess.DEVNULL)
    return pathlib.Path(output, "xml")


def text_of(element):
    return "" if element is None else "".join(element.itertext()).strip()


def descriptions(element):
    return [found for kind in ("briefdescription", "detaileddescription") if (found := element.find(kind)) is not None]


def is_described(element):
    return any(map(text_of, descriptions(element)))


def documented_names(function, kind):
    return {text_of(name) for description in descriptions(function)
            for names in description.iterfind(f".//parameterlist[@kind='{kind}']")
            for name in names.iterfind(".//parametername")}


def documented_parameters(function):
    return documented_names(function, "param")


def have(functions, path):
    return any(description.find(path) is not None for function in functions for description in descriptions(function))


def parameters(function):
    return [name for param in function.iterfind("param") if (name := text_of(param.find("declname")))]


def name_of(element):
    return text_of(element.find("compoundname" if element.tag == "compounddef" else "name"))


def scopes_of(name):
    return [scope for scope in name.split("::") if scope != "inline_namespace"]


def is_for_archives(function):
    takes = [text_of(param.find("type")) for param in function.iterfind("param")]
    return takes == ["detail::unfilled"] or name_of(function) in ("persist", "defect")


def is_left_out(function, owner):
    name, arguments = name_of(function), text_of(function.find("argsstring"))
    class_name = re.sub(r"<.*", "", name_of(owner)).split("::")[-1].strip()
    of_class = rf"\((const )?{re.escape(class_name)}(<.*>|< .* >)? ?&&?( ?\w+)?\)"
    return (
        name.startswith("~")
        or is_for_archives(function)
        or re.search(r"= ?(default|delete)\b", arguments)
        or (name in (class_name, "operator=") and re.match(of_class, arguments))
        or re.search(rf"-> ?{re.escape(name)}\b", arguments)
    )


def file_of(element):
    """From include/annulus on."""
    return element.find("location").get("file").rpartition("annulus/")[2]


def line_of(element):
    return file_of(element), int(element.find("location").get("line"))


def is_of_c(element):
    return file_of(element).endswith(".h")


def faults_of_function(function, same_name_above):
    overloads = [each for each in (function, *same_name_above) if is_described(each)]
    if not overloads:
        return ["no docstring"]
    documented = set().union(*map(documented_parameters, overloads))
    faults = [f"no \\param {name}" for name in parameters(function) if name not in documented]
    unknown = documented_parameters(function) - set(parameters(function))
    faults += [f"\\param {name}, which it does not have" for name in sorted(unknown)]
    result = re.sub(r"\b(constexpr|inline|static|explicit)\b", "", text_of(function.find("type"))).strip()
    if result not in ("", "void", "annulus_status") and not have(overloads, ".//simplesect[@kind='return']"):
        faults.append("no \\returns")
    if "noexcept" not in text_of(function.find("argsstring")) and not is_of_c(function):
        if not have(overloads, ".//parameterlist[@kind='exception']"):
            faults.append("neither \\throws nor noexcept")
    thrown = documented_names(function, "exception")
    faults += [f"\\throws {name}, which is no type" for name in sorted(thrown) if not is_exception(name)]
    return faults


def is_exception(name):
    return re.fullmatch(r"any|(\w+::)+\w+|cancelled|\w*error", name)


def is_foreign_macro(member):
    is_ours = name_of(member).startswith("ANNULUS_") and name_of(member) != "ANNULUS_EXPORT"
    return member.get("kind") == "define" and not is_ours


def repeats_enumeration(typedef):
    return is_of_c(typedef) and text_of(typedef.find("type")).startswith("enum ")


def protocol_of(compounds):
    """The parameters that metric_members names, by the name of the member."""
    protocol = {}
    for compound in compounds:
        if scopes_of(name_of(compound)) == ["annulus", "metric_members"]:
            for member in filter(is_described, compound.iter("memberdef")):
                protocol.setdefault(name_of(member), set()).update(documented_parameters(member))
    return protocol


def faults_of_compound(compound, protocol):
    """Of each fault: file, line, name, and what it lacks."""
    if compound.get("kind") in ("class", "struct", "union", "concept"):
        if "<" not in name_of(compound) and not is_described(compound):
            yield *line_of(compound), name_of(compound), "no docstring"
    members = [member for member in compound.iter("memberdef") if member.get("prot") == "public"]
    variables = [member for member in members if member.get("kind") == "variable"]
    described_lines = {line_of(variable) for variable in variables if is_described(variable)}
    if any(name_of(variable) == "name" and variable.get("static") == "yes" for variable in variables):
        members = [member for member in members if is_described(member) or name_of(member) not in protocol
                   or not set(parameters(member)) <= protocol[name_of(member)]]
    above = {}
    for member in sorted(members, key=line_of):
        kind, name, place = member.get("kind"), name_of(member), line_of(member)
        qualified = text_of(member.find("qualifiedname")) or name
        if kind == "function":
            if not is_left_out(member, compound):
                same_name_above = above.setdefault((file_of(member), name), [])
                yield from ((*place, qualified, fault) for fault in faults_of_function(member, same_name_above))
                same_name_above.append(member)
        elif kind != "friend" and not repeats_enumeration(member) and not is_foreign_macro(member):
            if not is_described(member) and line_of(member) not in described_lines:
                yield *place, qualified, "no docstring"
            yield from ((*place, f"{qualified}::{name_of(value)}", "no docstring")
                        for value in member.iterfind("enumvalue") if not is_described(value))


def faults_in(xml):
    compounds = [compound for file in sorted(xml.glob("*.xml")) if file.name != "index.xml"
                 for compound in ElementTree.parse(file).getroot().iter("compounddef")
                 if compound.get("kind") in ("class", "struct", "union", "concept", "namespace", "file")]
    hidden = {tuple(scopes_of(name_of(each))) for each in compounds if each.get("prot", "public") != "public"}
    protocol = protocol_of(compounds)
    found = {}  # as a namespace's members come again with their files
    for compound in compounds:
        for file, line, name, fault in faults_of_compound(compound, protocol):
            scopes = scopes_of(name)
            outer = {tuple(scopes[:count]) for count in range(1, len(scopes) + 1)}
            is_public = not outer & hidden and not {"detail", "simd", "Eigen"} & set(scopes)
            if is_public and not file.startswith("dynamic/engine/"):
                found[file, line, "::".join(scopes), fault] = None
    return sorted(found)


planted = r"""
#define ANNULUS_UNDOCUMENTED 1
#define THEIRS 1
namespace annulus {
struct plain {
  int field;
  int x, y;  ///< both
};
/// An enumeration.
enum class letters { a };
/// A concept.
template <class T>
concept described = true;
template <class T>
concept undescribed = true;
/// A class.
class whole {
 public:
  whole() = default;
  whole(const whole& other);
  whole(whole&&) noexcept;
  ~whole();
  using number = int;
  /// Sums. \param a,b two numbers \returns their sum \throws std::bad_alloc
  int sum(int a, int b);
  long sum(long a, long b);
  long sum(long a, long c);
  /// Lacks both. \param a a number \param b another
  int lacks(int a);
  /// Nothing to say. \param a a number
  void nothing(int a) noexcept;
  /// No type. \throws where it likes
  void likes();
  friend bool operator==(const whole&, const whole&) = default;

 private:
  struct hidden {
    int field;
  };
  void unseen();
};
/// The protocol.
struct metric_members {
  /// A distance. \param a,b rows \returns it
  double operator()(const float* a, const float* b) const noexcept;
  /// Its name.
  static constexpr int name = 0;
};
/// A metric.
struct a_metric {
  double operator()(const double* a, const double* b) const;
  double operator()(const double* a, const double* c) const;
  static constexpr int name = 1;
};
/// No metric.
struct no_metric {
  double operator()(const double* a, const double* b) const;
  explicit no_metric(detail::unfilled to_fill);
};
/// A template.
template <class T>
struct holder {
  /// Makes one. \param value what it holds
  explicit holder(T value) noexcept;
};
template <class T>
holder(T*) -> holder<T>;
template <>
struct holder<char> {
  int size() const;
};
void free_function(int x);
namespace detail {
void helper(int x);
}
}
"""

planted_faults = [  # line, name, fault
    (2, "ANNULUS_UNDOCUMENTED", "no docstring"),
    (5, "annulus::plain", "no docstring"),
    (6, "annulus::plain::field", "no docstring"),
    (10, "annulus::letters::a", "no docstring"),
    (15, "annulus::undescribed", "no docstring"),
    (23, "annulus::whole::number", "no docstring"),
    (27, "annulus::whole::sum", "no \\param c"),
    (29, "annulus::whole::lacks", "\\param b, which it does not have"),
    (29, "annulus::whole::lacks", "neither \\throws nor noexcept"),
    (29, "annulus::whole::lacks", "no \\returns"),
    (33, "annulus::whole::likes", "\\throws where, which is no type"),
    (52, "annulus::a_metric::operator()", "no docstring"),
    (57, "annulus::no_metric::operator()", "no docstring"),
    (70, "annulus::holder< char >::size", "no docstring"),
    (72, "annulus::free_function", "no docstring"),
]


def check_planted(doxygen):
    """That this script finds each fault of a header, and no other."""
    with tempfile.TemporaryDirectory() as folder:
        include = pathlib.Path(folder, "include")
        include.mkdir()
        (include / "planted.hpp").write_text(planted)
        found = [fault[1:] for fault in faults_in(run_doxygen(doxygen, include, folder))]
    if found != planted_faults:
        sys.exit(f"api_docs.py finds other faults than are planted:\n{sorted(set(found) ^ set(planted_faults))}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--doxygen", default="doxygen", metavar="PROGRAM")
    arguments.add_argument("--xml", type=pathlib.Path, metavar="FOLDER")
    arguments.add_argument("parts", nargs="*", metavar="PART", help="a folder or header in include/annulus")
    given = arguments.parse_args()
    check_planted(given.doxygen)
    with tempfile.TemporaryDirectory() as folder:
        found = faults_in(given.xml or run_doxygen(given.doxygen, root / "include" / "annulus", folder))
    if given.parts:
        found = [fault for fault in found if any(map(pathlib.Path(fault[0]).is_relative_to, given.parts))]
    for file, line, name, fault in found:
        print(f"{file}:{line}: {name}: {fault}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
