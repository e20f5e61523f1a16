// SPDX-License-Identifier: MIT OR Apache-2.0
// The page: a conversation with a model. What a model or a user wrote is set as text, never as HTML.

import { answer, models, Refused } from "/server.js";

const element = (id) => document.getElementById(id);
const [model, options, log, form, message, send, stop, state] =
	["model", "options", "log", "form", "message", "send", "stop", "state"].map(element);
/** Fields that are left out of a request where they are empty. */
const [system, seed, most, key] = ["system", "seed", "most", "key"].map(element);

/** The conversation as the model is told it. */
let said = [];
/** Ends the answer under way; null where there is none. */
let stopper = null;

/** Adds an article to the conversation, and gives it. */
function add(role, title) {
	const article = document.createElement("article");
	article.className = role;
	const heading = document.createElement("h2");
	heading.textContent = title;
	article.append(heading);
	log.append(article);
	return article;
}

/** Adds a line to an article, and gives it. */
function line(article, text, kind = "") {
	const paragraph = document.createElement("p");
	paragraph.className = kind;
	paragraph.textContent = text;
	article.append(paragraph);
	log.scrollTop = log.scrollHeight;
	return paragraph;
}

function complain(article, error) {
	line(article, error.message, "error").setAttribute("role", "alert");
}

/** What an answer came to: its text, its time, why it ended. */
class Answer {
	constructor(article) {
		this.paragraph = line(article, "");
		this.text = "";
		this.finish = null;
		this.usage = null;
	}

	take(chunk) {
		this.model = chunk.model;
		this.usage = chunk.usage ?? this.usage;
		const [choice] = chunk.choices;
		if (!choice) return;
		this.finish = choice.finish_reason ?? this.finish;
		if (!choice.delta.content) return;
		this.first ??= performance.now();
		this.last = performance.now();
		const below = log.scrollHeight - log.scrollTop - log.clientHeight;
		this.text += choice.delta.content;
		this.paragraph.textContent = this.text;
		// Who reads further up is left there.
		if (below < 40) log.scrollTop = log.scrollHeight;
	}

	/** The line below it. */
	end() {
		const tokens = this.usage?.completion_tokens ?? 0;
		const seconds = (this.last - this.first) / 1000;
		const facts = [`finish: ${this.finish}`, `${tokens} tokens`];
		// The first token's time is that of the prompt.
		if (tokens > 1 && seconds > 0) facts.push(`${((tokens - 1) / seconds).toFixed(1)} tokens/s`);
		facts.push(this.model);
		return facts.join(" · ");
	}
}

/** The request for an answer to what was said. */
function request() {
	const messages = system.value ? [{ role: "system", content: system.value }, ...said] : said;
	const wanted = { model: model.value, messages };
	if (seed.value) wanted.seed = Number(seed.value);
	if (most.value) wanted.max_completion_tokens = Number(most.value);
	return wanted;
}

/** Shows whether an answer is under way. */
function show(running) {
	stopper = running;
	send.disabled = model.disabled = running !== null;
	stop.disabled = running === null;
	state.textContent = running ? "Answering" : "";
}

/** Sends a message, and shows its answer as it comes. */
async function talk(text) {
	// Another conversation may have begun before this answer ends.
	const conversation = said;
	line(add("user", "You"), text);
	conversation.push({ role: "user", content: text });
	const article = add("assistant", model.value);
	const found = new Answer(article);
	const stopping = new AbortController();
	show(stopping);
	try {
		for await (const chunk of answer(request(), key.value, stopping.signal)) found.take(chunk);
		line(article, found.end(), "end");
	} catch (error) {
		if (stopping.signal.aborted) line(article, "stopped by you", "end");
		else complain(article, error);
	}
	show(null);
	if (found.text) {
		conversation.push({ role: "assistant", content: found.text });
		return;
	}
	// A message without an answer is not told to the model again, and can be sent again.
	conversation.pop();
	if (conversation === said) message.value ||= text;
}

/** Asks for the models, and for a key where the server wants one. */
async function connect() {
	document.getElementById("refused")?.remove();
	try {
		const names = await models(key.value);
		model.replaceChildren(...names.map((name) => new Option(name, name)));
		if (names.includes("default")) model.value = "default";
		if (!names.length) throw new Error("No model is loaded: let an administrator load one.");
		if (document.activeElement === key) message.focus();
	} catch (error) {
		const article = add("system", "sislm");
		article.id = "refused";
		complain(article, error);
		if (!(error instanceof Refused && error.status === 401)) return;
		options.open = true;
		key.focus();
	}
}

form.addEventListener("submit", (event) => {
	event.preventDefault();
	for (const field of [seed, most]) {
		if (field.checkValidity()) continue;
		options.open = true;
		field.reportValidity();
		return;
	}
	if (!message.value.trim() || stopper) return;
	const text = message.value;
	message.value = "";
	talk(text);
});
message.addEventListener("keydown", (event) => {
	// Enter that ends the input of a character is not for us.
	if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
	event.preventDefault();
	form.requestSubmit();
});
document.addEventListener("keydown", (event) => {
	if (event.key === "Escape") stopper?.abort();
});
stop.addEventListener("click", () => {
	stopper?.abort();
	message.focus();
});
element("new").addEventListener("click", () => {
	stopper?.abort();
	said = [];
	log.replaceChildren();
	message.focus();
});
key.addEventListener("change", connect);
connect();
