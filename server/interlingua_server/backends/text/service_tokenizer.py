"""The tokenizer that a service needs: tokenizer.json, prompt, template --> TextTokenizer."""

from __future__ import annotations

from template_tokenizer import TemplateTokenizer
from text_tokenizer import PromptTokenizer, TextTokenizer
from tokenizers import Tokenizer


def service_tokenizer(tokenizer_json: str, max_tokens: int, *, prompt: str = "", template: str = "") -> TextTokenizer:
    """The tokenizer of a service.

    Args:
        prompt: in front of a single text; inside the template, where there is one.
        template: "" for none; else `{text}`, or `{query}` and `{document}`, once each.

    Raises:
        ValueError: as `TemplateTokenizer`.
    """
    if template:
        return TemplateTokenizer(tokenizer_json, max_tokens, template.replace("{text}", prompt + "{text}"))
    return PromptTokenizer(Tokenizer.from_str(tokenizer_json), max_tokens, prompt)
