// SPDX-License-Identifier: MIT OR Apache-2.0
// The objects of a stream of server-sent events, until [DONE].

const CUT = "The answer was cut off: the connection ended before it did. Send the message again.";

export async function* objects(body) {
	let rest = "";
	try {
		for await (const text of body.pipeThrough(new TextDecoderStream())) {
			const events = (rest + text).split("\n\n");
			rest = events.pop();
			for (const event of events) {
				// Comments keep the connection alive.
				if (!event.startsWith("data: ")) continue;
				const data = event.slice("data: ".length);
				if (data === "[DONE]") return;
				yield JSON.parse(data);
			}
		}
	} catch (error) {
		if (error.name === "AbortError") throw error;
		throw new Error(CUT, { cause: error });
	}
	throw new Error(CUT);
}
