# The library's version in the graph: a hash of the code that each rule's script uses. No rules here; see docs/code.md.
import ast
import functools
import hashlib

LIBRARY = Path(workflow.basedir) / "src"
SCRIPTS = Path(workflow.basedir) / "workflow/scripts"

# What the library looks up by a network's type stands in modules named as the network's own (ntkfield.networks.routes).
NETWORK_MODULES, KERNEL_MODULES, LAYER_MODULES = "ntkfield.networks.", "ntkfield.infinite.", "ntkfield.bridge."
GROUP_CNN = "ntkfield.networks.group_cnn"


@functools.cache
def module_file(module):
    """The file of a module of the library or of one beside the scripts; None for any other."""
    stem = module.replace(".", "/")
    for path in (LIBRARY / f"{stem}.py", LIBRARY / f"{stem}/__init__.py", SCRIPTS / f"{stem}.py"):
        if path.is_file():
            return path
    return None


@functools.cache
def syntax(path):
    """A file's code without comments, docstrings and layout."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:] or [ast.Pass()]
    return tree


def imported(tree, module, is_package, typing=False):
    """What a module imports, as pairs of a dotted name and the name it is bound to; for typing too if asked."""
    found, nodes = [], [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            found += [(alias.name, alias.asname or alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".")[: len(module.split(".")) - node.level + is_package] if node.level else []
            prefix = ".".join([*parents, *filter(None, [node.module])])
            found += [(f"{prefix}.{alias.name}", alias.asname or alias.name) for alias in node.names]
        if typing or not for_typing(node):
            nodes += ast.iter_child_nodes(node)
    return found


def for_typing(node):
    """Whether a statement stands for type checkers only."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def definer(name):
    """The module that a dotted name leads to: through a package's own imports to where the name is defined."""
    if module_file(name):
        return name
    package, _, attribute = name.rpartition(".")
    path = module_file(package) if package else None
    if path is not None and path.name == "__init__.py":
        tree = syntax(path)
        for source, bound in imported(tree, package, True, typing=True):  # a package may import late what it offers
            if bound == attribute:
                return definer(source)
        if attribute not in defined(tree):
            raise WorkflowError(
                f"{name} is used by a script, but {path} neither imports nor defines {attribute!r}: "
                "import it from the module that defines it"
            )
    return package if path else None


def defined(tree):
    """Names that a module's own statements bind."""
    targets = [target for node in tree.body for target in getattr(node, "targets", [getattr(node, "target", None)])]
    return {node.name for node in tree.body if hasattr(node, "name")} | {ast.unparse(each) for each in targets if each}


@functools.cache
def neighbours(module):
    """The modules whose code a module uses directly."""
    path, used = module_file(module), set()
    tree = syntax(path)
    for name, bound in imported(tree, module, path.name == "__init__.py"):
        if module_file(name) and module_file(name).name == "__init__.py":
            # `import package as p`: what is used of it is what is written after `p.`
            used |= {definer(f"{name}.{attribute}") for attribute in attributes(tree, bound)}
        used.add(definer(name))
    return used - {None}


def attributes(tree, name):
    """Every `x` in `name.x`."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }


@functools.cache
def own_code(module):
    """A module's code as text; of a package's own file all but its imports and `__all__`, which bind names only."""
    path = module_file(module)
    body = syntax(path).body
    if path.name == "__init__.py":
        body = [
            node
            for node in body
            if not (isinstance(node, ast.Import | ast.ImportFrom) or for_typing(node) or "__all__" in ast.unparse(node))
        ]
    return "\n".join(map(ast.unparse, body))


def modules_used(module):
    """A module and all whose code it uses, directly or not."""
    found, waiting = set(), {module}
    while waiting:
        found |= waiting
        # A package is what its own file computes; what it imports for others counts where it is used.
        used = set().union(*(neighbours(each) for each in waiting if module_file(each).name != "__init__.py"))
        waiting = (used | routes(found)) - found
    return sorted(found)


def routes(found):
    """The kernels of the networks among some modules; their layers too, if one of the modules imports the bridge.

    `GroupCNN` makes the network of any family, so that who uses it uses every family.
    """
    rooms = [KERNEL_MODULES] + [LAYER_MODULES] * any(module.startswith(LAYER_MODULES) for module in found)
    names = {module.removeprefix(NETWORK_MODULES) for module in found if module.startswith(NETWORK_MODULES)}
    modules = {NETWORK_MODULES + path.stem for path in LIBRARY.joinpath(*NETWORK_MODULES.split(".")).glob("[!_]*.py")}
    families = {module for module in modules if GROUP_CNN in found and GROUP_CNN in neighbours(module)}
    return families | {room + name for room in rooms for name in names if module_file(room + name)}


@functools.cache
def code_hash(script):
    """Twelve hexadecimal digits that change when code does that the script uses."""
    modules = modules_used(Path(script).stem)
    text = "\n".join(f"# {module}\n{own_code(module)}" for module in modules)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def note_code():
    """Give every rule with a script the parameter `code`, so that Snakemake re-runs it when its code changes."""
    for made in workflow.rules:
        if made.script:
            made.set_params(code=functools.partial(lambda script, wildcards: code_hash(script), made.script))
