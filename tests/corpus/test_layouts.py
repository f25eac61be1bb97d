from __future__ import annotations

import json

import pytest

from hocket.corpus.layouts import Metadata, asap_work, metadata, records_of, text_of


def told(layout: str, files: dict[str, str], official_split: str = "table") -> Metadata:
    return metadata(layout, list(files), lambda name: files[name].encode(), official_split)


MAESTRO = "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration\n"


def test_maestro_names_composer_title_work_and_split() -> None:
    row = 'Franz Liszt,"Etude ""No. 3"", S.1",test,2004,2004/a.midi,x.wav,9.5\n'
    result = told("maestro", {"m/maestro.csv": MAESTRO + row, "m/2004/a.midi": "", "m/2004/b.midi": ""})
    facts = result.facts["m/2004/a.midi"]
    assert facts == {
        "composer": "Franz Liszt",
        "title": 'Etude "No. 3", S.1',
        "split": "test",
        "work": 'Franz Liszt: Etude "No. 3", S.1',
    }
    assert (list(result.facts), result.rejected) == (["m/2004/a.midi"], [])


def test_splits_are_taken_only_where_they_are_official() -> None:
    row = "A,B,train,2004,a.mid,,1\nA,B,training,2004,b.mid,,1\n"
    files = {"x.csv": MAESTRO + row, "a.mid": "", "b.mid": ""}
    assert [f.get("split") for f in told("maestro", files).facts.values()] == ["train", None]
    assert [f.get("split") for f in told("maestro", files, "").facts.values()] == [None, None]


@pytest.mark.parametrize("text", ["composer,file\na,b\n", "", 'a,"b\n' + "x" * 200_000])
def test_a_table_without_its_columns_is_reported_and_the_music_stays(text: str) -> None:
    result = told("maestro", {"maestro.csv": text, "a.mid": ""})
    assert [(name, reason) for name, reason, _ in result.rejected] == [("maestro.csv", "bad_metadata")]
    assert result.facts == {}
    assert "maestro.csv" in result.rejected[0][2]


def test_a_row_without_its_file_is_reported() -> None:
    result = told("maestro", {"x.csv": MAESTRO + "A,B,train,2004,gone.mid,,1\n"})
    assert [(name, reason) for name, reason, _ in result.rejected] == [("gone.mid", "missing")]


@pytest.mark.parametrize(
    ("name", "work"),
    [
        ("asap-performances/Bach/Fugue/bwv_848/Lee01M.mid", "Bach/bwv_848"),
        ("asap-performances/Bach/Prelude/bwv_848/Lee01M.mid", "Bach/bwv_848"),
        ("asap-performances/Beethoven/Piano_Sonatas/17-1_no_repeat/GuoE02M.mid", "Beethoven/Piano_Sonatas/17"),
        ("asap-performances/Beethoven/Piano_Sonatas/24-1_no_2_repeat/A.mid", "Beethoven/Piano_Sonatas/24"),
        ("asap-performances/Beethoven/Piano_Sonatas/9-2_no_trio/A.mid", "Beethoven/Piano_Sonatas/9"),
        ("asap-performances/Chopin/Sonata_2/1st_no_repeat/A.mid", "Chopin/Sonata_2"),
        ("asap-performances/Schumann/Kreisleriana/1_no_first_repeat/A.mid", "Schumann/Kreisleriana"),
        ("asap-performances/Schumann/Toccata_repeat/A.mid", "Schumann/Toccata"),
        ("asap-performances/Chopin/Etudes_op_10/12/A.mid", "Chopin/Etudes_op_10/12"),
        (
            "asap-performances/Liszt/Gran_Etudes/6_Theme_and_Variations_repeat/A.mid",
            "Liszt/Gran_Etudes/6_Theme_and_Variations",
        ),
    ],
)
def test_works_of_asap(name: str, work: str) -> None:
    assert asap_work(name) == work


def test_groove_lmd_pop909_and_essen() -> None:
    info = "drummer,session,id,style,bpm,midi_filename,split\ndrummer1,s,d1/1,funk/groove1,138,d1/1.mid,test\n"
    facts = told("groove", {"groove/info.csv": info, "groove/d1/1.mid": ""}).facts["groove/d1/1.mid"]
    assert facts == {"composer": "drummer1", "title": "d1/1", "style": "funk/groove1", "work": "d1/1", "split": "test"}
    files = {
        "sources.csv": "md5,style,split\nab,folk/waltz,validation\ncd,x,test\n",
        "md5_to_paths.json": json.dumps({"ab": ["x/My Song.mid"], "zz": ["y"]}),
        "lmd_full/a/ab.mid": "",
    }
    result = told("lmd", files)
    song = {"title": "My Song", "style": "folk/waltz", "split": "validation", "work": "folk/waltz"}
    assert result.facts == {"lmd_full/a/ab.mid": song}
    assert [row[:2] for row in result.rejected] == [("cd", "missing")]
    assert told("pop909", {"POP909/007/007.mid": ""}).facts["POP909/007/007.mid"]["work"] == "007"
    assert told("essen", {"e/asia/china/han/h1.krn": ""}).facts["e/asia/china/han/h1.krn"] == {"style": "han"}


def test_the_matched_and_the_clean_files_of_lakh_are_known_by_their_folders() -> None:
    matched = "lmd_matched/A/A/A/TRAAAGR128F425B14B/ab.mid"
    files = {matched: "", "clean_midi/ABBA/Waterloo.mid": "", "clean_midi/ABBA/Waterloo.1.mid": "", "clean_midi/x": ""}
    facts = told("lmd", files).facts
    song = {"title": "Waterloo", "composer": "ABBA", "work": "Waterloo"}
    assert facts == {
        matched: {"work": "TRAAAGR128F425B14B"},
        "clean_midi/ABBA/Waterloo.mid": song,
        "clean_midi/ABBA/Waterloo.1.mid": song,
    }


def test_broken_titles_of_lakh_are_reported() -> None:
    result = told("lmd", {"md5_to_paths.json": "{", "lmd_full/a/ab.mid": ""})
    assert [row[:2] for row in result.rejected] == [("md5_to_paths.json", "bad_metadata")]


def test_irishman_groups_by_number_and_splits_by_file() -> None:
    ids = "index,split,tune_group,source,file,x\n1,train,g7,aird,a.abc,3\n"
    result = told("irishman", {"i/tune_ids.csv": ids, "i/train.json": "[]"}, "file")
    assert result.facts["i/train.json#1"] == {"work": "g7", "title": "aird a.abc 3"}
    assert result.facts["i/train.json"] == {"split": "train"}


def test_whole_records_of_broken_json_are_read() -> None:
    whole = json.dumps(
        [{"abc notation": "X:1\nK:C\nC|"}, {"control code": "S:1"}, 7, {"abc notation": "X:2\nK:C\n{D}E|"}]
    )
    tunes, broken = records_of("t.json", whole.encode())
    assert [name for name, _ in tunes] == ["t.json#0", "t.json#3"]
    assert [row[:2] for row in broken] == [("t.json#1", "bad_record"), ("t.json#2", "bad_record")]
    tunes, broken = records_of("t.json", whole[:-12].encode())
    assert [text for _, text in tunes] == ["X:1\nK:C\nC|"]
    assert ("t.json", "bad_record") in [row[:2] for row in broken]
    assert records_of("t.json", b'{"a": 1}')[1][0][1] == "bad_record"


def test_text_in_any_encoding() -> None:
    assert [
        text_of(b) for b in ("ü".encode(), "ü".encode("latin-1"), "ü".encode("utf-16"), "ü".encode("utf-8-sig"))
    ] == ["ü"] * 4
