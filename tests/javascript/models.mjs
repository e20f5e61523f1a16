// SPDX-License-Identifier: GPL-2.0
// Both clients of clients.mjs with trained models: models.mjs URL KEY CHAT COMPLETES.
// Prints a line for each answer, as JSON: [name, text, why it ended].

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";
import OpenAI from "openai";

const [url, key, chat, completes] = process.argv.slice(2);
const [baseURL, apiKey, maxRetries] = [`${url}/v1`, key, 0];
const tell = (name, text, end) => console.log(JSON.stringify([name, text, end]));
const asked = { model: chat, messages: [{ role: "user", content: "Who are you?" }], seed: 7, max_completion_tokens: 8 };
const begun = { model: completes, prompt: "Once upon a time", temperature: 0, max_tokens: 40 };

const client = new OpenAI({ baseURL, apiKey, maxRetries });
const whole = (await client.chat.completions.create(asked)).choices[0];
tell("openai-chat", whole.message.content, whole.finish_reason);
const last = (await client.chat.completions.stream(asked).finalChatCompletion()).choices[0];
tell("openai-chat-stream", last.message.content, last.finish_reason);
const text = (await client.completions.create(begun)).choices[0];
tell("openai-text", text.text, text.finish_reason);
let [parts, end] = ["", null];
for await (const chunk of await client.completions.create({ ...begun, stream: true })) {
	parts += chunk.choices[0]?.text ?? "";
	end = chunk.choices[0]?.finish_reason ?? end;
}
tell("openai-text-stream", parts, end);

const provider = createOpenAICompatible({ name: "sislm", baseURL, apiKey });
const question = { model: provider(chat), prompt: "Who are you?", seed: 7, maxOutputTokens: 8, maxRetries };
const answer = await generateText(question);
tell("ai-sdk-chat", answer.text, answer.finishReason);
const stream = streamText(question);
parts = "";
for await (const part of stream.textStream) parts += part;
tell("ai-sdk-chat-stream", parts, await stream.finishReason);
const story = { model: provider.completionModel(completes), prompt: begun.prompt, temperature: 0, maxOutputTokens: 40, maxRetries };
const told = await generateText(story);
tell("ai-sdk-text", told.text, told.finishReason);
