r"""The secrets that are known: how each kind looks in text, and how it is told from afar inside JSON.

The kinds and their lengths follow the rule lists of gitleaks, detect-secrets and kingfisher, and the providers' own
pages. A pattern reads decoded text. A sign is what is left of it in the JSON that holds the text, once or several times
encoded: RE2 has no lookaround, ``\n`` may stand before a key, and quotes and slashes may be escaped.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Callable
from dataclasses import dataclass

# Before a key: no letter or digit, or an escape of a JSON string inside the text.
EDGE = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=\\u[0-9A-Fa-f]{4}))"
EDGE_SIGN = r"(?:^|[^a-z0-9]|\\[nrtbf]|\\u[0-9a-f]{4})"
# A random blob in base64 holds any four letters now and then; these kinds may not begin inside one.
OUTSIDE_BASE64 = r"(?:(?<![A-Za-z0-9+/])|(?<=\\[nrt]))"
GAP = r"(?:[ \t\r\n]|\\+[nrt])"
# In a sign: a quote and an equals sign as such, or as the numbers that .NET and Gson write.
QUOTE = r"\\*(?:[\"']|u002[27])"
EQUALS = r"(?:=|\\+u003d)"
SLASH = r"\\{0,7}/"
SIGN_LENGTH = 8

NAMES = (
    r"(?:(?:api|access|account|admin|auth|encryption|functions?|master|private|secret|service|shared|signing|storage"
    r"|subscription|virtual)[_ -]?key(?:[_-]?id)?"
    r"|secret(?:[_ -]?key)?"
    r"|(?:access|api|app|auth|bearer|bot|deploy|id|jwt|oauth|personal|private|refresh|sas|security|service|session)"
    r"[_ -]?token|passw(?:or)?d|passphrase)"
)
HEADERS = r"(?:proxy-)?authorization|(?:set-)?cookie"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of secret: a text without any of ``marks`` (in any case if ``fold``) cannot hold it.

    The group ``value`` is what is replaced, the whole match where there is none; ``check`` may refuse it.
    """

    name: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    sign: str
    fold: bool = False
    check: Callable[[str], bool] | None = None


def _key(name: str, marks: str, body: str, *, edge: str = EDGE, sign: str | None = None) -> Kind:
    """A kind known by the literal it begins with; its sign needs no more than the first characters of the rest."""
    short = re.sub(r"\{(\d+),\d*\}$", lambda match: f"{{{min(int(match[1]), SIGN_LENGTH)}}}", body)
    return Kind(name, tuple(marks.split()), re.compile(edge + body), sign or f"{EDGE_SIGN}{short}")


def _basic(value: str) -> bool:
    """True when ``value`` is the Base64 of user:password."""
    try:
        text = b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (Error, ValueError):
        return False
    return b":" in text and all(32 <= byte < 127 for byte in text)


REFERENCES = (
    "[secret:", "${", "{{", "<", "$(", "%(", "os.environ", "os.getenv", "process.env", "settings.", "self.", "config.",
    "args.", "env.", "secrets.", "var.",
)  # fmt: skip


def _no_reference(value: str) -> bool:
    """False for what only names where the secret is kept."""
    return not value.startswith(REFERENCES)


PRIVATE_KEY = Kind(
    "private_key",
    ("PRIVATE KEY",),
    re.compile(
        r"-{4,5} ?BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)? ?-{4,5}"
        # up to its end line, or as far as a log that was cut still shows lines of it
        r"(?:(?:[^-]|-(?!---))*+-{4,5} ?END [A-Z0-9 ]{1,60}-{4,5}"
        rf"|(?:(?:{GAP}|[A-Za-z-]{{1,30}}: [^\r\n\\]{{0,100}}+)*+[A-Za-z0-9+/=]{{16,}}+)++"
        r"(?:(?:\r?\n|\\+n)[A-Za-z0-9+/=]{1,15}(?=[\r\n\\\"'.]|\Z))?)"
    ),
    "PRIVATE KEY",
)
KINDS: tuple[Kind, ...] = (
    PRIVATE_KEY,
    _key("private_key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    # Model providers, gateways and tracing
    _key("anthropic_key", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{16,}"),
    _key("openrouter_key", "sk-or-", r"sk-or-[A-Za-z0-9_-]{16,}"),
    _key("langfuse_key", "k-lf-", r"[ps]k-lf-[A-Za-z0-9-]{16,}"),
    # Also LiteLLM's virtual keys and every other provider that took the prefix over. Words joined by hyphens are none.
    _key(
        "openai_key", "sk-", r"sk-(?=[A-Za-z0-9_-]{0,150}(?:\d|[a-z][A-Z]))[A-Za-z0-9_-]{16,}",
        sign=rf"{EDGE_SIGN}sk-[a-z0-9_-]{{16}}",
    ),
    _key("cerebras_key", "csk-", r"csk-[A-Za-z0-9]{30,}"),
    _key("google_key", "AIza", r"AIza[0-9A-Za-z_-]{30,}"),
    _key("google_key", "AQ.Ab8", r"AQ\.Ab8[A-Za-z0-9_-]{30,}"),
    _key("google_token", "ya29.", r"ya29\.[A-Za-z0-9_.-]{20,}"),
    _key("google_token", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{20,}"),
    _key("google_token", "1//0", r"1//0[A-Za-z0-9_-]{30,}", edge=OUTSIDE_BASE64, sign=r"1\\*/\\*/0[a-z0-9_-]{12}"),
    _key("groq_key", "gsk_", r"gsk_[A-Za-z0-9]{20,}"),
    _key("huggingface_token", "hf_ api_org_", r"(?:hf|api_org)_[A-Za-z0-9]{20,}"),
    _key("xai_key", "xai-", r"xai-[A-Za-z0-9_-]{20,}"),
    _key("replicate_token", "r8_", r"r8_[A-Za-z0-9]{30,}"),
    _key("together_key", "tgp_v1_", r"tgp_v1_[A-Za-z0-9_-]{30,}"),
    _key("perplexity_key", "pplx-", r"pplx-[A-Za-z0-9]{30,}"),
    _key("langsmith_key", "lsv2_ ls__", r"(?:lsv2_[a-z]{2}_[A-Za-z0-9_]{30,}|ls__[A-Za-z0-9]{30,})",
         sign=rf"{EDGE_SIGN}ls(?:v2|_)_[a-z0-9_]{{8}}"),
    _key("nvidia_key", "nvapi-", r"nvapi-[A-Za-z0-9_-]{30,}"),
    _key("fireworks_key", "fw_", r"fw_[A-Za-z0-9]{20,}"),
    _key("jina_key", "jina_", r"jina_[A-Za-z0-9_-]{30,}"),
    _key("llamacloud_key", "llx-", r"llx-[A-Za-z0-9]{40,}"),
    _key("pinecone_key", "pcsk_", r"pcsk_[A-Za-z0-9_]{40,}"),
    _key("tavily_key", "tvly-", r"tvly-[A-Za-z0-9-]{20,}"),
    _key("elevenlabs_key", "sk_", r"sk_(?:car_[A-Za-z0-9_]{20,}|[a-f0-9]{40,})",
         sign=rf"{EDGE_SIGN}sk_(?:car_[a-z0-9_]{{8}}|[a-f0-9]{{8}})"),
    _key("wandb_key", "wandb_v1_", r"wandb_v1_[A-Za-z0-9_]{40,}"),
    _key("databricks_token", "dapi", r"dapi[a-f0-9]{32,}"),
    _key("vercel_key", "vck_ vcp_ vca_ vcr_ vci_", r"vc[kpari]_[A-Za-z0-9_-]{40,}"),
    # Clouds
    _key(
        "aws_key", "AKIA ASIA ABIA ACCA",
        r"A(?:KI|SI|BI|CC)A[0-9A-Z]{16}(?![A-Za-z0-9])"
        rf"(?:(?:{GAP}|[:,;/|]|\\*[\"']){{1,6}}[A-Za-z0-9/+]{{40}}(?![A-Za-z0-9/+=]))?",
        sign=rf"{EDGE_SIGN}A(?:KI|SI|BI|CC)A[0-9A-Z]{{16}}(?:[^a-z0-9]|$)",
    ),
    _key("bedrock_key", "ABSK", r"ABSK[A-Za-z0-9+/]{60,}={0,2}", edge=OUTSIDE_BASE64, sign=r"ABSK[a-z0-9+/\\]{8}"),
    _key(
        "bedrock_key", "bedrock-api-key-", r"bedrock-api-key-[A-Za-z0-9+/=]{20,}",
        sign=r"bedrock-api-key-[a-z0-9+/\\=]{12}",
    ),
    _key("alibaba_key", "LTAI", r"LTAI[A-Za-z0-9]{17,}"),
    _key("azure_key", "JQQJ99", r"[A-Za-z0-9]{30,60}JQQJ99[A-Za-z0-9]{20,}", sign=r"JQQJ99[a-z0-9]{8}"),
    _key("azure_secret", "Q~", r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{30,}", sign=r"[0-9]Q~[a-z0-9_~.-]{8}"),
    _key("digitalocean_token", "_v1_", r"do[opr]_v1_[a-f0-9]{40,}"),
    # Code, chat, money, data
    _key("github_token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"(?:gh[pousr]|github_pat)_[A-Za-z0-9_]{30,}"),
    _key(
        "gitlab_token", "glpat- gldt- glft- glrt- glsoat- glcbt- glptt- glagent- gloas- glimt- glffct-",
        r"gl(?:pat|dt|ft|rt|soat|cbt|ptt|agent|oas|imt|ffct)-[A-Za-z0-9_.-]{16,}",
    ),
    _key("slack_token", "xox xapp-", r"(?:xox[a-z]|xapp)-[A-Za-z0-9-]{10,}"),
    _key("stripe_key", "_live_ _test_ _prod_", r"[rs]k_(?:live|test|prod)_[A-Za-z0-9]{16,}"),
    _key("stripe_key", "whsec_", r"whsec_[A-Za-z0-9+/]{24,}", sign=r"whsec_[a-z0-9+/\\]{12}"),
    _key("npm_token", "npm_", r"npm_[A-Za-z0-9]{30,}"),
    _key("pypi_token", "pypi-", r"pypi-[A-Za-z0-9_-]{50,}"),
    _key("rubygems_key", "rubygems_", r"rubygems_[a-f0-9]{40,}"),
    _key(
        "sendgrid_key", "SG.", r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        sign=rf"{EDGE_SIGN}SG\.[a-z0-9_-]{{16}}",
    ),
    _key("sendinblue_key", "xkeysib-", r"xkeysib-[A-Za-z0-9-]{40,}"),
    _key("mailgun_key", "key-", r"key-[0-9a-f]{32,}(?![A-Za-z0-9])", sign=r"key-[0-9a-f]{12}"),
    _key("mailchimp_key", "-us", r"[0-9a-f]{32}-us\d{1,2}(?!\d)", sign=r"[0-9a-f]-us[0-9]"),
    _key("twilio_key", "SK", r"SK[0-9a-f]{32}(?![A-Za-z0-9])", sign=rf"{EDGE_SIGN}SK[0-9a-f]{{32}}"),
    _key("telegram_token", ":AA", r"\d{8,10}:AA[A-Za-z0-9_-]{30,}", sign=r"[0-9]:AA[a-z0-9_-]{12}"),
    _key(
        "discord_token", ".", r"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}",
        sign=r"[a-z0-9_-]\.[a-z0-9_-]{6}\.[a-z0-9_-]{20}",
    ),
    _key("shopify_token", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{30,}"),
    _key("square_token", "sq0", r"sq0[A-Za-z0-9_-]{24,}"),
    _key("atlassian_token", "ATATT", r"ATATT[A-Za-z0-9_-]{60,}"),
    _key("vault_token", "hvs. hvb.", r"hv[sb]\.[A-Za-z0-9_-]{60,}"),
    _key("terraform_token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{50,}", sign=r"[a-z0-9]\.atlasv1\."),
    _key("docker_token", "dckr_", r"dckr_[A-Za-z0-9_-]{24,}"),
    _key("grafana_token", "glsa_ glc_", r"gl(?:sa|c)_[A-Za-z0-9+/_]{30,}", sign=r"gl(?:sa|c)_[a-z0-9+/_\\]{8}"),
    _key("postman_key", "PMA", r"PMA[KT]-[A-Za-z0-9-]{24,}"),
    _key("notion_token", "ntn_", r"ntn_[A-Za-z0-9]{40,}"),
    _key("linear_key", "lin_api_", r"lin_api_[A-Za-z0-9]{30,}"),
    _key("figma_token", "figd_", r"figd_[A-Za-z0-9_-]{30,}"),
    _key("supabase_key", "sbp_ sb_secret_", r"(?:sbp|sb_secret)_[A-Za-z0-9_-]{30,}"),
    _key("sentry_token", "sntry", r"sntry(?:s_eyJ[A-Za-z0-9+/=_]{40,}|u_[a-f0-9]{40,})",
         sign=r"sntry(?:s_eyJ|u_[a-f0-9]{8})"),
    _key("tailscale_key", "tskey-", r"tskey-[A-Za-z0-9-]{24,}"),
    _key("circleci_token", "CCIP", r"CCIP(?:AT|RJ)_[A-Za-z0-9_]{40,}"),
    _key("planetscale_token", "pscale_", r"pscale_[A-Za-z0-9_.-]{32,}"),
    _key("heroku_key", "HRKU-", r"HRKU-[A-Za-z0-9_-]{40,}"),
    _key("jwt", "eyJ", r"eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]*",
         sign=rf"{EDGE_SIGN}eyJ[a-z0-9_-]{{8,}}\.[a-z0-9_-]{{8}}"),
    # Addresses that are secrets, or hold one
    Kind(
        "webhook", ("hook",),
        re.compile(
            rf"https?:{SLASH}{SLASH}(?:hooks\.slack\.com{SLASH}|(?:[a-z]{{1,20}}\.)?discord(?:app)?\.com{SLASH}"
            rf"api{SLASH}(?:v\d{{1,2}}{SLASH})?webhooks{SLASH}|[a-z0-9-]{{1,63}}\.webhook\.office\.com{SLASH})"
            r"[^\s\"'<>]{10,}", re.A | re.I,
        ),
        r"(?:hooks\.slack\.com|webhooks|webhook\.office\.com)\\*/",
        fold=True,
    ),
    Kind(
        "signature", ("sig",),
        re.compile(
            r"(?:[?&;]|u0026|%26)(?:sig|signature|x-(?:amz|goog)-signature)(?:=|\\+u003d|%3d)"
            r"(?P<value>[A-Za-z0-9%+/=_~-]{20,})", re.A | re.I,
        ),
        rf"(?:[?&;]|u0026|%26)(?:x-(?:amz|goog)-)?sig(?:nature)?(?:{EQUALS}|%3d)[a-z0-9%+/\\=_~-]{{12}}",
        fold=True,
    ),
    Kind(
        "password", ("@",),
        # scheme://user:password@host; the user and the host stay
        re.compile(
            rf"\b[a-z][a-z0-9+.-]{{1,30}}:{SLASH}{SLASH}[^\s:/@\"']{{0,100}}:(?P<value>[^\s/\"'<>]{{1,200}})(?=@)",
            re.A | re.I,
        ),
        r":(?:\\*/){2}[^\s:/@\"']*:[^\s/\"'<>]+@",
        check=_no_reference,
    ),
    Kind(
        "password", ("pwd",),
        re.compile(r"(?:;|u003b) ?pwd ?= ?(?P<value>[^\s;\"']{4,200})", re.A | re.I),
        rf"(?:;|u003b) ?pwd ?{EQUALS}",
        fold=True, check=_no_reference,
    ),
    # Headers
    Kind(
        "bearer_token", ("bearer",),
        re.compile(
            rf"(?i:bearer)(?:{GAP}|%20|\+){{1,3}}(?P<value>(?=[A-Za-z0-9._~+/=-]{{0,150}}(?:\d|[a-z][A-Z]))"
            r"[A-Za-z0-9._~+/=-]{16,})"
        ),
        r"bearer(?:[ \t\r\n]|\\+[nrt]|%20|\+)+[a-z0-9._~+/\\=-]{12}",
        fold=True,
    ),
    Kind(
        "basic_auth", ("basic",),
        re.compile(rf"basic{GAP}{{1,3}}(?P<value>[A-Za-z0-9+/]{{6,}}={{0,2}})", re.A | re.I),
        r"basic(?:[ \t\r\n]|\\+[nrt]){1,3}[a-z0-9+/\\]{6}",
        fold=True, check=_basic,
    ),
    Kind(
        "authorization", ("authorization",),
        re.compile(
            r"authorization(?:\\*[\"'])? {0,3}[:=] {0,3}(?:\\*[\"'])?(?:[a-z][a-z0-9-]{2,20} {1,3})?"
            r"(?P<value>(?=[^\s\"'\\,;\[\]{}<>\d]{0,150}\d)[^\s\"'\\,;\[\]{}<>]{8,})", re.A | re.I,
        ),
        rf"authorization(?:{QUOTE})? {{0,3}}(?::|{EQUALS}) {{0,3}}(?:{QUOTE})?(?:[a-z][a-z0-9-]+ +)?"
        r"[^\s\"'\\,;\[\]{}<>]{8}",
        fold=True, check=_no_reference,
    ),
    Kind(
        "cookie", ("cookie",),
        re.compile(
            r"(?:set-)?cookie(?:\\*[\"'])? {0,3}[:=] {0,3}(?:\\*[\"'])?"
            r"(?P<value>[\w.%-]{1,100}=[^\s;\"'\\]{1,4096}(?:; ?[\w.%-]{1,100}(?:=[^\s;\"'\\]{0,4096})?)*)",
            re.A | re.I,
        ),
        rf"cookie(?:{QUOTE})? {{0,3}}(?::|{EQUALS}) {{0,3}}(?:{QUOTE})?[a-z0-9_.%-]+{EQUALS}[^\s;\"'\\]",
        fold=True,
    ),
    # name = "value", "name": "value", name=value, name: value, name is value; the name stays
    Kind(
        "field", ("key", "secret", "token", "passw", "passphrase"),
        re.compile(
            rf"{NAMES}(?:\\*[\"'])? {{0,3}}(?:=>?|:) {{0,3}}(?P<slash>\\{{0,31}}+)(?P<quote>[\"'])"
            # the value ends where its own quote comes back, not at one that is escaped inside it
            r"(?P<value>(?:[^\"'\\\s]|(?!(?P=quote))[\"']|(?P=slash)\\++[\"']|\\++(?![\"'])){6,4096})"
            r"(?=(?P=slash)(?P=quote))",
            re.A | re.I,
        ),
        rf"{NAMES}(?:{QUOTE})?[ \t\r\n]*(?:{EQUALS}(?:>|\\u003e)?|:)[ \t\r\n]*{QUOTE}"
        r"(?:[^\" ][^ ]{5}|(?:basic|bearer) )",
        fold=True, check=_no_reference,
    ),
    Kind(
        "field", ("key", "secret", "token", "passw", "passphrase"),
        re.compile(rf"(?<!\[){NAMES}=(?P<value>[^\s\"'&;,\[\]{{}}()<>\\]{{8,4096}}+)(?![(\[{{])", re.A | re.I),
        rf"{NAMES}{EQUALS}[^\s\"'&;,\[\]{{}}()<>]{{8}}",
        fold=True, check=_no_reference,
    ),
    Kind(
        "field", ("key", "secret", "token", "passw", "passphrase"),
        re.compile(
            rf"(?<!\[){NAMES} {{0,2}}(?::| is:?) {{0,3}}"
            r"(?P<value>(?=[A-Za-z_.~!@#$%^*?+/=-]{0,80}\d)(?=[0-9_.~!@#$%^*?+/=-]{0,80}[A-Za-z])"
            r"[A-Za-z0-9_.~!@#$%^*?+/=-]{8,4096}+)(?![(\[{])", re.A | re.I,
        ),
        rf"{NAMES} {{0,2}}(?::| is:?) {{0,3}}[a-z0-9_.~!@#$%^*?+/=-]{{8}}",
        fold=True, check=_no_reference,
    ),
)  # fmt: skip

# The names of fields and headers whose value is a secret by their name alone.
FIELD = re.compile(rf"[a-z0-9_.-]{{0,60}}{NAMES}|[a-z0-9_.-]{{0,60}}pwd|{HEADERS}", re.A | re.I)
HEADER = re.compile(rf"{HEADERS}|(?:x-[a-z0-9-]{{1,40}}|ocp-apim-subscription|api)-(?:key|token|secret)", re.A | re.I)
FIELD_SIGNS = (
    rf"(?:pwd|{HEADERS}){QUOTE}[ \t\r\n]*:[ \t\r\n]*{QUOTE}[^\"]",
    rf"(?:{HEADERS}|-(?:key|token|secret))\\*[\"'][ \t\r\n]*,[ \t\r\n]*\\*[\"'][^\" ]",
    rf"[\"'](?:name|key|header)\\*[\"'][ \t\r\n]*:[ \t\r\n]*\\*[\"'][a-z0-9_.-]*(?:{NAMES}|pwd|{HEADERS})\\*[\"']",
)
# A letter, digit or mark of a key that is written as its number, which no JSON writer does of itself.
ESCAPED = r"\\u00(?:2[de]|3[0-9a]|4[0-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9a])"
