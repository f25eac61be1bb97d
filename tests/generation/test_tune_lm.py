from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from hocket.config.tunes import TuneLmConfig, TunesConfig
from hocket.corpus.readers import read_abc
from hocket.errors import ConfigError, InputError, MusicError
from hocket.evaluation.tune_forms import bars_of, forms_of
from hocket.generation.engraving import write_score
from hocket.generation.sampling import Sampling, draw, generator_of
from hocket.generation.tune_grammar import Grammar
from hocket.generation.tune_lm import Line, compose_tunes, headers_like, make_header, sample
from hocket.generation.tune_rules import Form, Rules
from hocket.models.tune_lm import TuneLm
from hocket.views.abc_text import Tune, parse_tune
from hocket.views.runs import KnownRuns
from hocket.views.tune_notes import table_of
from hocket.views.tunes import END, Vocabulary, section_bars
from making_tunes import tune_text

PLAIN = "X:1\nL:1/8\nM:6/8\nK:D\nA2B c2d | e3 d3 || GAB cde | e3 d3 ||\n"
TUNES = [parse_tune(text) for text in (*[tune_text(seed) for seed in range(24)], PLAIN, PLAIN)]
WORDS = Vocabulary.fit(TUNES, TunesConfig(min_count=2))


@pytest.fixture(scope="module")
def model() -> TuneLm:
    torch.manual_seed(3)
    made = TuneLm(TuneLmConfig(embedding=8, hidden=16, match=4, echo=4, context=2), len(WORDS)).eval()
    with torch.no_grad():
        made.head.bias[[257 + place for place, unit in enumerate(WORDS.units) if unit == "t\n"]] += (
            8  # so that tunes end
        )
        made.head.bias[[257 + place for place, unit in enumerate(WORDS.units) if ":|" in unit]] += 2
    return made


def walk(header: Tune, seed: int, most: int = 1500, words: Vocabulary = WORDS) -> tuple[str, bool]:
    """A random tune under the rules, and whether it ended."""
    rng, rules, tokens = np.random.default_rng(seed), Rules(Grammar(words), header), list[int]()
    weight = np.ones(len(words))
    for token, flags in rules.grammar.bars:
        weight[token] = 200 if flags else 10
    weight[rules.grammar.newline] = 300
    for _ in range(most):
        allowed = rules.allowed()
        assert allowed.any(), words.decode(tokens, header.frame)
        token = int(rng.choice(len(words), p=weight * allowed / (weight * allowed).sum()))
        if token == END:
            return words.decode(tokens, header.frame), True
        tokens.append(token)
        rules.step(token)
    return words.decode(tokens, header.frame), False


@pytest.mark.parametrize(
    ("metre", "unit"), [("6/8", "1/8"), ("C|", "1/8"), ("2/4", "1/16"), ("3/4", "1/4"), ("9/8", "1/8")]
)
def test_whatever_is_drawn_under_the_rules_has_full_bars_and_whole_repeats(metre: str, unit: str) -> None:
    header = make_header(1, metre, "G", unit)
    walks = [walk(header, seed) for seed in range(8)]
    bodies = [body for body, ended in walks if ended]
    forms = forms_of([Tune(header.header, body, header.frame) for body in bodies])
    assert len(bodies) >= 6  # the others were still inside a repeat
    assert forms["repeats_well_formed"].min() == 1
    assert not (forms["interior_bars_right"] < 1).any()
    for body in bodies:
        read_abc(header.header + body)


def test_what_opens_has_its_note_before_the_bar_line() -> None:
    marked = 'X:1\nL:1/8\nM:6/8\nK:D\n|: "G"A2B (c2d) | ~e3 {f}d3 | (A2B c2d) | "D"e3 f/4d3 :|\n'
    words = Vocabulary.fit([parse_tune(marked)] * 3, TunesConfig(min_count=1))
    header = make_header(1, "6/8", "D")
    bodies = [walk(header, seed, words=words)[0] for seed in range(12)]
    assert all(sum(body.count(sign) for body in bodies) for sign in '"(~{')
    assert [body for body in bodies if re.search(r'([(~}]|"[A-G]") *[|:]', body)] == []


def test_rules_allow_a_real_tune_and_refuse_a_wrong_bar() -> None:
    header = make_header(1, "6/8", "D")
    for body, good in (("|: A2B c2d | e3 d3 :|\n", True), ("|: A2B c2 | e3 d3 :|\n", False), ("|: A2B c2d |\n", False)):
        rules, allowed = Rules(Grammar(WORDS), header), True
        for token in [*WORDS.encode(body, header.frame), END]:
            allowed = bool(rules.allowed()[token])
            if not allowed or token == END:
                break
            rules.step(token)
        assert allowed == good, body


def test_an_upbeat_and_a_short_end_make_a_whole() -> None:
    header = make_header(1, "6/8", "D")
    for body, good in (("|: d | e3 d3 | A2B c2 :|\n", True), ("|: d | e3 d3 | A2B c2d :|\n", False)):
        rules = Rules(Grammar(WORDS), header)
        tokens, places = WORDS.encode(body, header.frame), 0
        for token in tokens:
            if not rules.allowed()[token]:
                break
            rules.step(token)
            places += 1
        assert (places == len(tokens)) == good, body


def test_nothing_comes_three_times_in_a_row() -> None:
    header = make_header(1, "6/8", "D")
    once, other = "A2B c2d | ", "e3 d3 | "
    for body, good in (
        (once * 2 + other, True),
        (once * 3, False),
        ((once + other) * 2, True),
        ((once + other) * 3, False),
    ):
        rules = Rules(Grammar(WORDS), header)
        taken = []
        for token in WORDS.encode(body, header.frame):
            if not rules.allowed()[token]:
                break
            rules.step(token)
            taken.append(token)
        assert (taken == WORDS.encode(body, header.frame)) == good, body


@pytest.mark.parametrize(("metre", "message"), [("none", "cannot be counted"), ("5/17", "metre"), ("waltz", "metre")])
def test_metres_that_cannot_be_counted_are_refused(metre: str, message: str) -> None:
    with pytest.raises(MusicError if metre != "none" else InputError, match=message):
        Rules(Grammar(WORDS), make_header(1, metre, "D"))


def test_a_key_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="no key"):
        make_header(1, "6/8", "H")


def test_the_carried_state_gives_the_probabilities_of_the_whole_sequence(model: TuneLm) -> None:
    line, rows, steps, state = Line(TUNES[0], WORDS), [], [], None
    with torch.inference_mode():
        for token in WORDS.encode(TUNES[0].body, TUNES[0].frame):
            rows.append(line.row())
            logits, state = model(torch.tensor([[rows[-1]]]), state)
            steps.append(logits[0, 0])
            line.append(token)
        whole, _ = model(torch.tensor([rows]))
    assert torch.allclose(torch.stack(steps), whole[0], atol=1e-4)


def test_samples_depend_on_the_seed_alone(model: TuneLm) -> None:
    headers, _ = headers_like(TUNES, WORDS, 4, 1)
    drawn = [sample(model, WORDS, headers, Sampling(seed=seed)) for seed in (1, 1, 2)]
    assert any(drawn[0])
    assert drawn[0] == drawn[1] != drawn[2]


def test_constrained_tunes_are_whole_even_from_a_model_that_learned_nothing(model: TuneLm) -> None:
    headers, asked = headers_like(TUNES, WORDS, 6, 2)
    made = compose_tunes(model, WORDS, headers, Sampling(seed=5), forms=asked)
    for tune, form in zip(made.tunes, asked, strict=True):
        assert form is not None
        assert section_bars(tune, WORDS) == list(form.bars)
    forms = forms_of(made.tunes)
    assert not (forms["interior_bars_right"] < 1).any()
    assert forms["repeats_well_formed"].min() == 1


def test_copies_of_known_tunes_are_drawn_again_and_counted(model: TuneLm) -> None:
    (headers, _), sampling = headers_like(TUNES, WORDS, 6, 2), Sampling(seed=5)
    before = compose_tunes(model, WORDS, headers, sampling)
    known = KnownRuns.of(table_of(before.tunes[:2]), 12)
    after = compose_tunes(model, WORDS, headers, sampling, known)
    assert after.copies >= 2
    assert not known.shared(table_of(after.tunes)).any()
    assert [tune for tune in after.first if tune] == [tune for tune in before.first if tune]
    assert after.tunes[2:] == before.tunes[2:]


@pytest.mark.parametrize("letters", ["AABB", "AABA", "ABAC", "A"])
def test_a_form_is_kept(model: TuneLm, letters: str) -> None:
    form, header = Form.parse(letters, 4), make_header(1, "6/8", "D")
    for seed in range(3):
        tune = compose_tunes(model, WORDS, [header], Sampling(temperature=2.0, seed=seed), forms=[form]).tunes[0]
        bars, formed = bars_of(tune)
        assert formed
        assert tune.body.count(":|") + tune.body.count("::") == sum(form.repeated)
        whole = [bar for bar in bars if bar.ticks == bar.full]
        assert len(form.letters) * 3 <= len(whole) <= len(form.letters) * 4  # an upbeat takes from the last bars
        if letters == "AABA":
            third = len(bars) // 3
            assert [bar.content for bar in bars[-third:]] == [bar.content for bar in bars[:third]]


@pytest.mark.parametrize("wrong", ["", "AAAB", "A-B", "AZ", "aabb"])
def test_a_form_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match="form"):
        Form.parse(wrong)


def test_first_and_second_endings_come_in_pairs() -> None:
    texts = [f"X:1\nL:1/8\nM:6/8\nK:D\n|: {'A2B c2d | ' * 2}[1 e3 d3 :| [2 f/4d3 d3 ||\n"] * 3
    words = Vocabulary.fit([parse_tune(text) for text in texts], TunesConfig(min_count=1))
    header = make_header(1, "6/8", "D")
    for body, good in (
        ("|: A2B c2d | [1 e3 d3 :| [2 f3 d3 ||\n", True),
        ("|: A2B c2d | [1 e3 d3 :| f3 d3 ||\n", False),
        ("|: A2B c2d | [1 e3 d3 ||\n", False),
        ("|: A2B c2d | [1 e3 d3 :| [2 f3 d3 :|\n", False),
        ("|: A2B c2d | [2 e3 d3 :|\n", False),
    ):
        rules, allowed = Rules(Grammar(words), header), True
        for token in [*words.encode(body, header.frame), END]:
            allowed = bool(rules.allowed()[token])
            if not allowed or token == END:
                break
            rules.step(token)
        assert allowed == good, body


def test_a_tune_that_never_ends_is_reported(model: TuneLm) -> None:
    header = make_header(1, "6/8", "D")
    assert sample(model, WORDS, [header], Sampling(seed=1), max_tokens=3) == [None]


@pytest.mark.parametrize(
    "wrong", [{"temperature": 0}, {"temperature": -1.0}, {"top_p": 0.0}, {"top_k": -1}, {"seed": -1}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Sampling(**wrong)  # type: ignore[arg-type]


def test_top_k_top_p_and_mask_bound_the_choice() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, 3.0]]).repeat(200, 1)
    for sampling, possible in (
        (Sampling(top_k=2), {2, 3}),
        (Sampling(top_p=0.6), {3}),
        (Sampling(top_p=0.7), {2, 3}),
        (Sampling(temperature=0.01), {3}),
    ):
        assert set(draw(logits, sampling, generator_of(1)).tolist()) == possible
    allowed = torch.tensor([[True, True, False, False]]).expand(200, 4)
    assert set(draw(logits, Sampling(temperature=5.0), generator_of(1), allowed).tolist()) == {0, 1}


def test_scores_are_engraved_the_same_twice(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        write_score(tune_text(1), tmp_path / name, png=True)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    first = (tmp_path / "a.svg").read_text()
    assert first == (tmp_path / "b.svg").read_text()
    assert first.count('class="note') >= 10
    with pytest.raises(MusicError, match="empty"):
        write_score("", tmp_path / "c.svg")
    assert not (tmp_path / "c.svg").exists()
