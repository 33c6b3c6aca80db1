"""Rows of the commands that write text: tokens, stems, lemmas and sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from statistics import median

from benchmarks import measure, report
from benchmarks.corpus import Text, nltk_data
from benchmarks.report import Section
from benchmarks.rows import SLOW_ROUNDS, Bench, Task, Tool, alternated, at_least, gai, peer
from benchmarks.text_peers import MODELS, model

TOKENIZE = "tokenize --per line {text}"


@dataclass(frozen=True)
class Peer:
    """What stands beside gai: a function of ``benchmarks.text_peers``, and what it needs.

    ``part`` is how much of the novels it takes, in MB, for some seconds of work; 0: all of them.
    ``resource`` is a folder or zip file of NLTK's data.
    """

    label: str
    name: str
    part: float
    module: str = ""
    resource: str = ""
    arguments: tuple[str, ...] = ()

    def tool(self) -> Tool:
        """Its process."""
        label = f"{self.label}, {{text}}"
        return peer(label, self.name, *self.arguments, module="benchmarks.text_peers")

    def text(self, bench: Bench) -> Text:
        """What it takes."""
        return bench.texts.parts[self.part] if self.part else bench.texts.novels

    def missing(self) -> str:
        """What it needs that is not there; "" where all is there."""
        if self.module and not find_spec(self.module):
            return f"{self.module} is not installed"
        places = [nltk_data() / f"{self.resource}{suffix}" for suffix in ("", ".zip")]
        if self.resource and not any(place.exists() for place in places):
            return f"{self.resource} is not in NLTK's data"
        return ""


FINDALL = Peer("Python re.findall", "findall", 0)
REGEXP = Peer(r"NLTK RegexpTokenizer(r'\w+')", "regexp", 8, "nltk")
WORDPUNCT = Peer("NLTK WordPunctTokenizer", "wordpunct", 8, "nltk")
TREEBANK = Peer("NLTK TreebankWordTokenizer", "treebank", 3, "nltk")
TWEET = Peer("NLTK TweetTokenizer", "tweet", 3, "nltk")
MOSES = Peer("sacremoses MosesTokenizer", "moses", 3, "sacremoses")
SPACY = Peer("spaCy blank('en').tokenizer.pipe", "spacy-tokenizer", 3, "spacy")
HUGGINGFACE = [
    Peer(f"tokenizers {name}", "huggingface", 8, "tokenizers", arguments=(name,))
    for name in ("BertPreTokenizer", "Whitespace", "ByteLevel")
]
PORTER = Peer("NLTK PorterStemmer in a loop", "porter", 3, "nltk")
SNOWBALL = Peer("NLTK SnowballStemmer in a loop", "snowball", 3, "nltk")
SIMPLEMMA = Peer("simplemma.lemmatize in a loop", "simplemma", 8, "simplemma")
WORDNET = Peer("NLTK WordNetLemmatizer in a loop", "wordnet", 3, "nltk", "corpora/wordnet")
MODEL = model() or MODELS[0]
SPACY_LEMMAS = Peer(f"spaCy {MODEL} without parser, ner", "spacy-lemmas", 0.3, MODEL)
PUNKT = Peer("NLTK PunktTokenizer", "punkt", 3, "nltk", "tokenizers/punkt_tab")
SENTENCIZER = Peer("spaCy sentencizer", "spacy-sentences", 3, "spacy")


def tokenize(bench: Bench) -> Section:
    """Tokens of five copies of the novels in each form, against other tokenizers."""
    large, novels = bench.texts.large, bench.texts.novels
    to_file = replace(gai(f"{TOKENIZE} -o {{output}}"), suffix=".txt")
    places = gai("tokenize --per line --one-per-line --format jsonl {text}")
    ours = [
        (gai(TOKENIZE), large),
        (to_file, large),
        (gai("tokenize {text}"), large),
        (gai(f"{TOKENIZE} -j1"), large),
        (places, novels),
    ]
    peers = [FINDALL, REGEXP, WORDPUNCT, TREEBANK, TWEET, MOSES, SPACY, *HUGGINGFACE]
    section = beside(bench, "tokenize", ours, peers, min(bench.rounds, SLOW_ROUNDS))
    for side, (tool, text) in zip(section.sides, ours[:2], strict=False):
        speed = text.size / 1e6 / measure.seconds(side.runs)
        label = tool.label.format(text=text.path.name, output="x.txt")
        section.targets.append(at_least(label, speed, 60, "MB/s"))
    promise(section, [REGEXP, WORDPUNCT, MOSES], 20)
    return section


def stem_porter(bench: Bench) -> Section:
    """Porter's stems of the novels, against NLTK's own loop."""
    return stem(bench, "porter", PORTER)


def stem_snowball(bench: Bench) -> Section:
    """Snowball's stems of the novels, against NLTK's own loop."""
    return stem(bench, "snowball", SNOWBALL)


def stem(bench: Bench, algorithm: str, loop: Peer) -> Section:
    """The stems of the novels by one algorithm."""
    ours = gai(f"stem --algorithm {algorithm} --per line {{text}}")
    section = beside(bench, f"stem-{algorithm}", [(ours, bench.texts.novels)], [loop])
    promise(section, [loop], 30)
    return section


def lemmatize(bench: Bench) -> Section:
    """Lemmas of the novels, against loops over the words and a model of spaCy."""
    ours = [(gai("lemmatize --per line {text}"), bench.texts.novels)]
    peers = [SIMPLEMMA, WORDNET, SPACY_LEMMAS]
    return beside(bench, "lemmatize", ours, peers, min(bench.rounds, SLOW_ROUNDS))


def lemmatize_context(bench: Bench) -> Section:
    """Lemmas of the novels with the step that looks at the neighbours, on one core."""
    text = bench.texts.novels
    commands = ("lemmatize --context --per line {text} -j1", "lemmatize --per line {text} -j1")
    section = beside(bench, "lemmatize-context", [(gai(command), text) for command in commands])
    side = section.sides[0]
    speed = side.tokens / 1e6 / measure.seconds(side.runs)
    section.targets.append(at_least("--context on one core", speed, 1, "M tokens/s"))
    return section


def sentences(bench: Bench) -> Section:
    """Sentences of 8 MB of novels, each line of which is a paragraph, against Punkt and spaCy."""
    ours = [(gai("sentences --per line {text}"), bench.texts.parts[8])]
    return beside(bench, "sentences", ours, [PUNKT, SENTENCIZER])


def beside(
    bench: Bench,
    name: str,
    ours: Iterable[tuple[Tool, Text]],
    peers: Sequence[Peer] = (),
    rounds: int = 0,
) -> Section:
    """gai's commands and the peers that are there, each over its text; the others in a note."""
    there = [one for one in peers if not one.missing()]
    tools = [*ours, *((one.tool(), one.text(bench)) for one in there)]
    tasks = [Task(tool, text, text.tokens["unicode"]) for tool, text in tools]
    section = Section(name, alternated(bench, tasks, rounds))
    for one in peers:
        if reason := one.missing():
            section.notes.append(f"{name}: without {one.label}, since {reason}.")
    return section


def promise(section: Section, peers: Iterable[Peer], wanted: float) -> None:
    """Adds how many times as fast as these peers gai is to be, of those that were measured."""
    labels = [one.label for one in peers]
    for side in section.sides:
        label = side.label.rpartition(", ")[0]
        if label in labels:
            times = median(report.times(section.sides[0], side))
            section.targets.append(at_least(f"speed against {label}", times, wanted, "times"))


ROWS: dict[str, Callable[[Bench], Section]] = {
    "tokenize": tokenize,
    "stem-porter": stem_porter,
    "stem-snowball": stem_snowball,
    "lemmatize": lemmatize,
    "lemmatize-context": lemmatize_context,
    "sentences": sentences,
}
