"""`run.py` of an ONNX bundle: ten lines below the imports, with onnxruntime alone (`tokenizers` reads the text)."""

from __future__ import annotations

from core.models.cards import ModelCard, Task
from core.models.tokenizer import Tokenizer
from core.onnx.encoder import Encoder

_PLACE = "\ue000"  # a character of no meaning: where the prompt goes in the rendered chat template
_LONGEST = 256  # tokens of an answer

_HEAD = '''"""{what} `pip install onnxruntime tokenizers numpy`, then `python run.py {usage}`."""
import pathlib, sys, numpy as np, onnxruntime, tokenizers
here = pathlib.Path(__file__).parent
tokenizer = tokenizers.Tokenizer.from_file(str(here / "tokenizer.json"))
model = onnxruntime.InferenceSession(here / "model.onnx", providers=[{provider!r}])
'''

_GENERATE = """past = {{i.name: np.zeros({empty}, np.{kind}) for i in model.get_inputs() if "past" in i.name}}
prompt = new = tokenizer.encode({before!r} + " ".join(sys.argv[1:] or ["Hi"]) + {after!r}, add_special_tokens=False).ids
answer = []
while len(answer) < min({longest}, {context} - len(prompt)) and not set(answer[-1:]) & {ends!r}:
    logits, *cache = model.run(None, past | {{"input_ids": [new], "attention_mask": [[1] * len(prompt + answer)]}})
    past, new = dict(zip(past, cache)), [int(logits[0, -1].argmax())]
    answer += new
print(tokenizer.decode(answer))
"""

_READ = """tokenizer.enable_truncation({longest})
tokenizer.enable_padding(pad_id={pad_id})
texts = tokenizer.encode_batch(sys.argv[1:] or {example!r})
names = {{"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}}
feed = {{i.name: np.array([getattr(text, names[i.name]) for text in texts]) for i in model.get_inputs()}}
output = model.run(None, feed)[0].astype(np.float64)
"""

_TASKS = {
    Task.FEATURE_EXTRACTION: """vectors = {pooled}
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
print(vectors @ vectors.T if len(texts) > 1 else vectors.tolist())
""",
    Task.TEXT_CLASSIFICATION: """scores = {scores}
for row in scores:
    print(dict(zip({labels!r}, row.round(4).tolist())))
""",
    Task.FILL_MASK: """for logits in output[feed["input_ids"] == {mask_id}]:
    print([tokenizer.decode([int(i)]) for i in logits.argsort()[::-1][:5]])
""",
}
_POOLED = {
    "mean": '(output * feed["attention_mask"][..., None]).sum(1) / feed["attention_mask"].sum(1)[:, None]',
    "cls": "output[:, 0]",
}
_USAGE = {
    Task.FEATURE_EXTRACTION: ("How alike sentences are.", '"A cat sits." "A kitten rests."'),
    Task.TEXT_CLASSIFICATION: ("The class of each text.", '"A text."'),
}


def decoder_script(card: ModelCard, tokenizer: Tokenizer, *, precision: str, device: str) -> str:
    """Answers a prompt through the model's chat template, greedily."""
    asked = [("user", _PLACE)]
    before, _, after = tokenizer.render(asked).partition(_PLACE)
    if not tokenizer.has_chat_template and tokenizer.bos_id is not None:  # a template writes its own
        lead = tokenizer.encode_chat(asked)[0]
        before = tokenizer.token_text(lead) + before if lead == tokenizer.bos_id else before
    return _head("Answers a prompt.", '"Your question"', device) + _GENERATE.format(
        empty=(1, card.architecture.kv_heads, 0, card.architecture.head_dim),
        kind="float32" if device == "cpu" or precision == "fp32" else "float16",
        before=before,
        after=after,
        longest=_LONGEST,
        context=card.architecture.context,
        ends=set(tokenizer.eos_ids),
    )


def encoder_script(encoder: Encoder, *, device: str) -> str:
    """Embeds, classifies, or fills masks, as the model does."""
    what, usage = _USAGE.get(encoder.task, ("The likeliest words for each mask.", f'"It is {encoder.mask_token}."'))
    several = "1 / (1 + np.exp(-output))"
    one = "(lambda e: e / e.sum(1, keepdims=True))(np.exp(output - output.max(1, keepdims=True)))"
    return (
        _head(what, usage, device)
        + _READ.format(longest=encoder.context_length, pad_id=encoder.pad_id, example=_example(encoder))
        + _TASKS[encoder.task].format(
            pooled=_POOLED[encoder.pooling],
            scores=several if encoder.several else one,
            labels=list(encoder.labels),
            mask_id=encoder.mask_id,
        )
    )


def _example(encoder: Encoder) -> list[str]:
    """What run.py answers when it is given nothing."""
    if encoder.task is Task.FEATURE_EXTRACTION:
        return ["A cat sits.", "A kitten rests."]
    return [f"It is {encoder.mask_token}." if encoder.task is Task.FILL_MASK else "A text."]


def _head(what: str, usage: str, device: str) -> str:
    return _HEAD.format(what=what, usage=usage, provider=f"{device.upper()}ExecutionProvider")
