using System.Text.Json;

namespace Datacake.Administration;

/// <summary>A document and its key as JSON.</summary>
/// <param name="Key">The key: a value, or an array of the values of a composite key.</param>
/// <param name="Document">The document: an object with its properties.</param>
public sealed record DocumentRow(JsonElement Key, JsonElement Document);
