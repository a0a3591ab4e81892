"""The chain a tutorial would build, on the same two models, for comparison.

    python -m eval.chain --part dev --count 12

ChatLlamaCpp, Chroma and HuggingFaceEmbeddings with their defaults; the model writes
freely from the three nearest cards.
"""

from __future__ import annotations

import argparse
import time

from eval.talk import read_cases


def main() -> None:
    """Print how long it takes to be ready, then a few answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["dev", "test"], default="dev")
    parser.add_argument("--count", type=int, default=12)
    given = parser.parse_args()
    started = time.perf_counter()
    from langchain_chroma import Chroma
    from langchain_community.chat_models import ChatLlamaCpp
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_huggingface import HuggingFaceEmbeddings

    from coach.library.cards import load_cards
    from coach.library.embedder import packaged_weights
    from coach.model.catalogue import choose
    from coach.prompts import shipped

    cards = load_cards(shipped("knowledge") / "thread")
    store = Chroma.from_texts(
        [f"{card.title}. {card.text}" for card in cards],
        HuggingFaceEmbeddings(model_name=str(packaged_weights())),
    )
    model = ChatLlamaCpp(
        model_path=str(choose("smollm2-135m").path), n_ctx=2048, max_tokens=200, temperature=0.3, seed=0
    )
    prompt = ChatPromptTemplate.from_messages(
        [
            ("system", "You are a kind coach. Answer the question using only this context:\n{context}"),
            ("human", "{question}"),
        ]
    )
    chain = prompt | model | StrOutputParser()
    print(f"ready after {time.perf_counter() - started:.1f} s")
    for case in read_cases(given.part)[: given.count]:
        question = case["turns"][0]
        found = store.as_retriever(search_kwargs={"k": 3}).invoke(question)
        context = "\n".join(document.page_content for document in found)
        started = time.perf_counter()
        answer = chain.invoke({"context": context, "question": question})
        print(f"\n> {question}\n{answer.strip()}\n({time.perf_counter() - started:.1f} s)")


if __name__ == "__main__":
    main()
