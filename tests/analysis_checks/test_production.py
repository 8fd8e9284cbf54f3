from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nb2pipe.analysis.checks.production import production
from nb2pipe.diagnostics import Severity
from nb2pipe.digest import Digest
from nb2pipe.notebook.magics import translate
from nb2pipe.notebook.model import Cell, CellKind, Kernel, Notebook, ParametersTag, Settings, SkipTag

if TYPE_CHECKING:
    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.notebook.model import Tag


def notebook(*sources: str, tags: tuple[Tag, ...] = (), kind: CellKind = CellKind.CODE) -> Notebook:
    cells = []
    for position, source in enumerate(sources, start=1):
        read = translate(source) if kind is CellKind.CODE else translate("")
        cells.append(
            Cell(
                id=f"c{position}",
                position=position,
                kind=kind,
                source=source,
                python=read.python,
                magics=read.magics,
                tags=tags,
            )
        )
    return Notebook(path="n.ipynb", cells=tuple(cells), kernel=Kernel(), settings=Settings(), digest=Digest.of("t", 0))


def found(source: str, code: str) -> list[Diagnostic]:
    return [diagnostic for diagnostic in production(notebook(source)) if diagnostic.code == code]


@pytest.mark.parametrize(
    "source",
    [
        'pd.read_csv("/home/me/data.csv")',
        'x = "/Users/me/data"',
        'x = "/root/data.csv"',
        'open("~/x.txt")',
        'x = r"C:\\Users\\me\\x.csv"',
        'x = "D:/data/x.csv"',
        r'x = "\\\\server\\share\\x"',
        'np.save("/tmp/x.npy", a)',
        'files = [f"/home/me/{name}" for name in names]',
        'data_dir = "/data/train"',
        'load(folder="/srv/models/a")',
        'config = {"data_path": "/srv/data/x"}',
        'Path("/srv/data/x")',
        'sys.path.append("/mnt/code")',
        'x = "file:///home/me/x.csv"',
        'x = "/content/drive/x"',
        "%cd /home/me/project",
        "!cp a.csv /home/me/b.csv",
    ],
)
def test_an_absolute_path_or_a_home_directory_is_a_warning(source: str) -> None:
    (diagnostic,) = found(source, "NB250")
    assert diagnostic.severity is Severity.WARNING
    assert diagnostic.location.line == 1


@pytest.mark.parametrize(
    "source",
    [
        'open("data/x.csv")',
        'open("/dev/null")',
        'requests.get("https://example.org/home/me/x")',
        '@app.get("/api/v1/items")\ndef f(): pass',
        'client.post("/users/login")',
        're.compile("/home")',
        'sep = "/"',
        'x = "a ~ b + c"',
        'def f():\n    """Reads /home/me/x."""',
        '# open("/home/me/x")',
        'x = "s:/"',
        'fmt = "%Y/%m/%d"',
        'x = "~"',
        'print("c: done")',
        'x = "a/b/c"',
    ],
)
def test_what_is_no_path_of_a_machine_is_left_alone(source: str) -> None:
    assert found(source, "NB250") == []


def test_an_absolute_path_that_is_a_parameter_is_an_info() -> None:
    made = notebook('path = "/home/me/x"', tags=(ParametersTag(),))
    (diagnostic,) = production(made)
    assert (diagnostic.code, diagnostic.severity) == ("NB250", Severity.INFO)


def test_a_place_counts_characters() -> None:
    (diagnostic,) = found('é = "ü"; x = "/home/me/x"', "NB250")
    assert (diagnostic.location.column, diagnostic.location.end_column) == (14, 26)
    assert diagnostic.location.source_line == 'é = "ü"; x = "/home/me/x"'


@pytest.mark.parametrize(
    "source",
    [
        'device = torch.device("cuda:0")',
        'device = "cuda:1" if torch.cuda.is_available() else "cpu"',
        "net.cuda()",
        "net.cuda(1)",
        'net.to("cuda")',
        "net.to(0)",
        "torch.cuda.set_device(0)",
        'pipeline("x", device=0)',
        'torch.zeros(3, device="cuda")',
        'os.environ["CUDA_VISIBLE_DEVICES"] = "0"',
        'if torch.cuda.is_available():\n    x = net.to("cuda:0")',
    ],
)
def test_a_fixed_device_is_a_warning(source: str) -> None:
    (diagnostic,) = found(source, "NB251")
    assert diagnostic.severity is Severity.WARNING


@pytest.mark.parametrize(
    "source",
    [
        'device = torch.device("cuda" if torch.cuda.is_available() else "cpu")',
        "net.to(device)",
        'net.to("cpu")',
        "if torch.cuda.is_available():\n    net.cuda()",
        "if use_cuda:\n    net = net.cuda()",
        "x = torch.cuda.is_available()",
        "date.to(True)",
        'print("cuda:x")',
        "seconds(device=device)",
    ],
)
def test_a_device_that_is_chosen_is_fine(source: str) -> None:
    assert found(source, "NB251") == []


SECRETS = [
    ('password = "hunter2"', "hunter2"),
    ('api_key = "abcd1234"', "abcd1234"),
    ('API_KEY: str = "abcd1234"', "abcd1234"),
    ('hfToken = "zzzz-9999"', "zzzz-9999"),
    ('connect(user="me", password="s3cr3t!")', "s3cr3t!"),
    ('config = {"db_password": "s3cr3t!"}', "s3cr3t!"),
    ('os.environ["AWS_SECRET_ACCESS_KEY"] = "abc/def+ghi"', "abc/def+ghi"),
    ('user, password = "me", "s3cr3t!"', "s3cr3t!"),
    ('def f(token="abcd-1234"): pass', "abcd-1234"),
    ('self.secret = "abcd1234"', "abcd1234"),
    ('login("ghp_' + "a" * 36 + '")', "ghp_"),
    ('x = "AKIA' + "A1" * 8 + '"', "AKIA"),
    ('client("sk-' + "a1B2" * 8 + '")', "sk-a1"),
    ('x = "hf_' + "aB" * 15 + '"', "hf_a"),
    ('engine = create_engine("postgresql://me:s3cr3t!@db.example.org/x")', "s3cr3t!"),
    ('key = """-----BEGIN RSA PRIVATE KEY-----\nMIIE\n"""', "BEGIN"),
    ("%env API_KEY=abcd1234", "abcd1234"),
    ('!curl -H "Authorization: token ghp_' + "a" * 36 + '"', "ghp_"),
    ("# -----BEGIN PRIVATE KEY-----", "BEGIN"),
]


@pytest.mark.parametrize(("source", "secret"), SECRETS)
def test_a_credential_is_a_warning_that_never_shows_it(source: str, secret: str) -> None:
    (diagnostic,) = found(source, "NB252")
    assert diagnostic.severity is Severity.WARNING
    assert secret in source
    assert secret not in repr(diagnostic)


@pytest.mark.parametrize(
    "source",
    [
        "max_tokens = 100",
        'key_column = "customer"',
        'tokenizer = "bert-base"',
        'pad_token = "[PAD]"',
        'password = os.environ["DB_PASSWORD"]',
        'password = ""',
        'password = "<your password>"',
        'api_key = "YOUR_API_KEY"',
        'api_key = "your-key-here"',
        'secret_name = "database-login"',
        'token_url = "https://example.org/token"',
        'password = getpass("Password: ")',
        'password_prompt = "Enter it"',
        'df["password"] = df["a"]',
        '{"token": "token"}',
        'api_key = "HF_TOKEN"',
        'url = f"postgresql://me:{password}@db/x"',
        'url = "https://example.org:8080/@me"',
        '# password = "hunter2"',
        'x = "sk-learn"',
        "compass = 'north-west'",
    ],
)
def test_what_only_sounds_like_a_credential_is_left_alone(source: str) -> None:
    assert found(source, "NB252") == []


def test_other_texts_and_comments_of_the_line_are_masked_too() -> None:
    (diagnostic,) = found('connect("first-secret", password="s3cr3t!") # s3cr3t!', "NB252")
    assert diagnostic.location.source_line == 'connect("***", password="***")'


def test_a_private_key_in_markdown_counts_and_a_password_there_does_not() -> None:
    made = notebook('password = "hunter2"', "-----BEGIN OPENSSH PRIVATE KEY-----\nabc", kind=CellKind.MARKDOWN)
    (diagnostic,) = production(made)
    assert (diagnostic.code, diagnostic.location.position, diagnostic.location.line) == ("NB252", 2, 1)


def test_a_credential_counts_in_a_skipped_cell_and_a_path_does_not() -> None:
    made = notebook('password = "hunter2"\nx = "/home/me/x"', tags=(SkipTag(),))
    assert [diagnostic.code for diagnostic in production(made)] == ["NB252"]


@pytest.mark.parametrize("source", ["x = input('x?')", "breakpoint()", "import getpass\ngetpass.getpass()"])
def test_code_that_waits_for_an_answer_is_a_warning(source: str) -> None:
    (diagnostic,) = found(source, "NB253")
    assert diagnostic.severity is Severity.WARNING


def test_an_own_function_input_is_fine() -> None:
    assert found("def input(x): return x\ninput(1)", "NB253") == []


@pytest.mark.parametrize(
    "source", ["!pip install x", "%pip install -q x", "!python -m pip -q install x", "%%bash\nconda install -y x"]
)
def test_installing_packages_is_an_info(source: str) -> None:
    (diagnostic,) = found(source, "NB254")
    assert diagnostic.severity is Severity.INFO


def test_listing_packages_is_fine() -> None:
    assert found("!pip list\n!echo install", "NB254") == []


def test_an_address_of_this_machine_is_an_info() -> None:
    (diagnostic,) = found('requests.get("http://localhost:8000/x")', "NB255")
    assert diagnostic.severity is Severity.INFO
    assert found('requests.get("http://localhost.example.org/x")', "NB255") == []


def test_code_that_python_cannot_read_is_left_alone() -> None:
    assert list(production(notebook("x = = 1"))) == []
