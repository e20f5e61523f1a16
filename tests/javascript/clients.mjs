// SPDX-License-Identifier: GPL-2.0
// OpenAI's client for JavaScript and the AI SDK's provider for what is compatible with it: clients.mjs URL KEY MODEL TOOLS.
// Prints a line for each test: `ok NAME` or `not ok NAME why`.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, streamText, tool } from "ai";
import OpenAI from "openai";

const [url, key, model, tools] = process.argv.slice(2);
const baseURL = `${url}/v1`;

function check(name, holds, seen = "") {
	console.log(holds ? `ok ${name}` : `not ok ${name} ${JSON.stringify(seen) ?? seen}`);
}

/** What a promise is rejected with; null when it is not. */
const rejected = (promise) => promise.then(() => null, (error) => error);

const schema = {
	type: "object", properties: { state: { enum: ["calm", "rough"] }, ships: { type: "boolean" } }, required: ["state", "ships"],
	additionalProperties: false,
};
const isSea = (found) => ["calm", "rough"].includes(found?.state) && typeof found.ships === "boolean";

async function openaiTools(client) {
	const look = { type: "function", function: { name: "look", parameters: schema } };
	const request = { model: tools, messages: [{ role: "user", content: "one" }], tools: [look], tool_choice: "required", seed: 3 };
	request.parallel_tool_calls = false;
	const whole = (await client.chat.completions.create(request)).choices[0];
	const call = whole.message.tool_calls[0].function;
	check("openai-tools", call.name === "look" && isSea(JSON.parse(call.arguments)) && whole.finish_reason === "tool_calls", whole);
	const last = await client.chat.completions.stream(request).finalChatCompletion();
	check("openai-tools-stream", last.choices[0].message.tool_calls[0].function.arguments === call.arguments, last);
}

async function sdkTools(provider) {
	const look = tool({ description: "Looks.", inputSchema: jsonSchema(schema) });
	const request = { model: provider(tools), prompt: "one", seed: 3, tools: { look }, toolChoice: "required", maxRetries: 0, maxOutputTokens: 400 };
	const named = { ...request, toolChoice: { type: "tool", toolName: "look" } };
	const whole = await generateText(named);
	check("ai-sdk-tools", whole.toolCalls.length === 1 && isSea(whole.toolCalls[0].input) && whole.finishReason === "tool-calls", whole.toolCalls);
	const calls = await streamText(named).toolCalls;
	check("ai-sdk-tools-stream", calls.length === 1 && isSea(calls[0].input), calls);
}

async function openai() {
	const client = new OpenAI({ baseURL, apiKey: key, maxRetries: 0 });
	const request = { model, messages: [{ role: "user", content: "one" }], seed: 7, max_completion_tokens: 16 };
	const models = [];
	for await (const found of client.models.list()) models.push(found.id);
	check("openai-models", models.includes(model), models);
	const whole = await client.chat.completions.create(request);
	const text = whole.choices[0].message.content;
	const again = await client.chat.completions.create(request);
	check("openai-same-seed", text.length > 0 && again.choices[0].message.content === text, again);
	const stream = await client.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } });
	let [parts, usage] = ["", null];
	for await (const chunk of stream) {
		parts += chunk.choices[0]?.delta.content ?? "";
		usage = chunk.usage ?? usage;
	}
	check("openai-stream", parts === text && usage.total_tokens === whole.usage.total_tokens, [parts, usage]);
	const events = client.chat.completions.stream(request);
	const last = await events.finalChatCompletion();
	check("openai-stream-helper", last.choices[0].message.content === text, last);
	const completion = await client.completions.create({ model, prompt: ["one", "two"], max_tokens: 4, n: 2 });
	check("openai-completions", completion.choices.map((choice) => choice.index).join() === "0,1,2,3", completion);
	const response = await client.responses.create({ model, input: "one", max_output_tokens: 16, seed: 7 });
	check("openai-response", response.output_text === text, response);
	const kinds = [];
	for await (const event of await client.responses.create({ model, input: "one", max_output_tokens: 4, stream: true })) kinds.push(event.type);
	check("openai-response-stream", kinds[0] === "response.created" && kinds.at(-1).match(/completed|incomplete/), kinds);
	await openaiTools(client);
	const missing = await rejected(client.chat.completions.create({ ...request, model: "none" }));
	check("openai-no-model", missing instanceof OpenAI.NotFoundError && missing.code === "model_not_found", missing);
	const stranger = new OpenAI({ baseURL, apiKey: "sislm-0", maxRetries: 0 });
	const refused = await rejected(stranger.models.list());
	check("openai-key", refused instanceof OpenAI.AuthenticationError, refused);
	return text;
}

async function sdk(text) {
	const provider = createOpenAICompatible({ name: "sislm", baseURL, apiKey: key, includeUsage: true });
	const request = { model: provider(model), prompt: "one", seed: 7, maxOutputTokens: 16, maxRetries: 0 };
	const whole = await generateText(request);
	check("ai-sdk-text", whole.text === text, whole.text);
	check("ai-sdk-finish", ["stop", "length"].includes(whole.finishReason), whole.finishReason);
	const stream = streamText(request);
	let parts = "";
	for await (const part of stream.textStream) parts += part;
	check("ai-sdk-stream", parts === text, parts);
	const usage = await stream.usage;
	check("ai-sdk-stream-usage", usage.outputTokens > 0 && usage.outputTokens === whole.usage.outputTokens, usage);
	const completion = await generateText({ ...request, model: provider.completionModel(model) });
	check("ai-sdk-completion", completion.text.length > 0, completion.text);
	await sdkTools(provider);
	const missing = await rejected(generateText({ ...request, model: provider("none") }));
	check("ai-sdk-no-model", missing?.statusCode === 404 && missing.message.includes('no model "none"'), missing?.message);
}

await sdk(await openai());
