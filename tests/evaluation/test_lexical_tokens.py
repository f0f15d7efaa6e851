"""Tokens by script and language; what is expected was cut by hand."""

from __future__ import annotations

import unicodedata

import pytest

from interlingua_evaluation.systems.lexical_tokens import tokens

CASES = {
    "zh: bigrams": ("zh", "重置密码", ["重置", "置密", "密码"]),
    "zh: punctuation and digits end a run": ("zh", "密码，2024年", ["密码", "2024", "年"]),
    "zh-Hant: a lone character": ("zh-Hant", "茶", ["茶"]),
    "ja: kana and kanji are one run": ("ja", "電源を切る", ["電源", "源を", "を切", "切る"]),
    "ja: a long vowel is of the run, a middle dot is not": ("ja", "サーバー・名", ["サー", "ーバ", "バー", "名"]),
    "ja: half and full width": ("ja", "ﾊﾟｽ ＵＳＢ", ["パス", "usb"]),
    "ko: bigrams within a spaced word": ("ko", "비밀번호를 재설정", ["비밀", "밀번", "번호", "호를", "재설", "설정"]),
    # ร + ห with its vowel sign + ส + ผ with its tone mark + า + น
    "th: bigrams of letters with their marks": ("th", "รหัสผ่าน", ["รหั", "หัส", "สผ่", "ผ่า", "าน"]),
    "th: digits are digits": ("th", "๒๕ วัน", ["25", "วัน"]),
    "lo": ("lo", "ຂໍ້ມູນ", ["ຂໍ້ມູ", "ມູນ"]),
    "km": ("km", "ខ្ញុំចង់", ["ខ្ញុំ", "ញុំច", "ចង់"]),
    "my": ("my", "မြန်မာ", ["မြန်", "န်မာ"]),
    "hi: vowel signs and the virama stay in the word": ("und", "हिन्दी में", ["हिन्दी", "में"]),
    "hi: stemmed": ("hi", "पासवर्ड करें", ["पासवर्ड", "कर"]),
    "ar: vowel points and the tatweel go, digits are digits": ("und", "كَتَبَ ٣ كـــتب", ["كتب", "3", "كتب"]),
    "he: points go": ("he", "שָׁלוֹם", ["שלום"]),
    "fa: a zero-width non-joiner joins": ("und", "می\u200cخواهم", ["میخواهم"]),
    "de: ss, and the stem": ("de", "Die Größe der Häuser", ["die", "gross", "der", "haus"]),
    "en: stemmed": ("en", "Running quickly: Files", ["run", "quick", "file"]),
    "sw: Snowball has no Swahili": ("sw", "Nenosiri lako", ["nenosiri", "lako"]),
    "nb: as Norwegian": ("nb", "husene", ["hus"]),
    "pt-BR: as Portuguese": ("pt-BR", "arquivos", ["arquiv"]),
    "fr: an apostrophe ends a word": ("und", "l'eau qu’elle", ["l", "eau", "qu", "elle"]),
    "uk: an apostrophe within a word is dropped": ("uk", "комп'ютер комп’ютер компʼютер", ["компютер"] * 3),
    "tr: dotted and dotless": ("tr", "IŞIK ışık İnternet", ["ışık", "ışık", "internet"]),
    "a dotted capital elsewhere": ("und", "İstanbul Istanbul", ["istanbul", "istanbul"]),
    "mixed scripts": ("ja", "iPhoneの電源", ["iphone", "の電", "電源"]),
    "mixed scripts, Thai": ("th", "เปิดWiFi", ["เปิ", "ปิด", "wifi"]),
    "the script decides, not the tag": ("en", "重置 password", ["重置", "password"]),
    "a composed and a decomposed accent": ("und", "\u00e9t\u00e9 e\u0301te\u0301", ["\u00e9t\u00e9"] * 2),
    "hyphens, underscores and dots": ("und", "e-mail log_file 1.2", ["e", "mail", "log", "file", "1", "2"]),
    "soft hyphens": ("und", "Pass\u00adwort", ["passwort"]),
    "a variation selector": ("und", "❤\ufe0f ok", ["ok"]),
    "no letter": ("en", "?! … 🙂", []),
    "empty": ("en", "", []),
}


@pytest.mark.parametrize(("language", "text", "expected"), CASES.values(), ids=CASES)
def test_tokens(language: str, text: str, expected: list[str]) -> None:
    assert tokens(text, language) == [unicodedata.normalize("NFKC", token) for token in expected]


def test_inflected_words_meet_in_the_languages_that_snowball_has() -> None:
    for language, one, other in [
        ("en", "restarting", "restarted"),
        ("de", "Häuser", "Haus"),
        ("ru", "паролями", "пароля"),
        ("ar", "المستخدم", "مستخدم"),
        ("es", "archivos", "archivo"),
        ("cs", "soubory", "souborů"),
        ("el", "αρχεία", "αρχείων"),
    ]:
        assert tokens(one, language) == tokens(other, language), language
        assert tokens(one, "und") != tokens(other, "und"), language


@pytest.mark.parametrize("text", ["pass\u00adword", "pass\u200bword", "\ufeffpassword"])
def test_what_is_not_read_parts_no_word(text: str) -> None:
    assert tokens(text, "en") == tokens("password", "en")
