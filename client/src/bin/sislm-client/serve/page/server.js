// SPDX-License-Identifier: MIT OR Apache-2.0
// What the page asks of the server. Errors have a sentence for the user as their message.

import { objects } from "/events.js";

/** An answer of the server that is an error; `status` is that of HTTP, 0 for one in a stream. */
export class Refused extends Error {
	constructor(status, body) {
		super(body?.error?.message ?? `The server answered with status ${status}.`);
		this.status = status;
	}
}

async function ask(path, key, options = {}) {
	const headers = { "Content-Type": "application/json" };
	if (key) headers.Authorization = `Bearer ${key}`;
	let response;
	try {
		response = await fetch(path, { ...options, headers, redirect: "error" });
	} catch (error) {
		if (error.name === "AbortError") throw error;
		throw new Error("The server cannot be reached. Is it still running?");
	}
	if (!response.ok) throw new Refused(response.status, await response.json().catch(() => null));
	return response;
}

/** Names of the loaded models. */
export async function models(key) {
	const list = await (await ask("/v1/models", key)).json();
	return list.data.map((model) => model.id);
}

/** The chunks of an answer. `request` is what the API calls so, without what makes it a stream. */
export async function* answer(request, key, signal) {
	const body = JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } });
	const response = await ask("/v1/chat/completions", key, { method: "POST", body, signal });
	for await (const chunk of objects(response.body)) {
		if (chunk.error) throw new Refused(0, chunk);
		yield chunk;
	}
}
