using System.Text.Json;

namespace Datacake.Tool.Comparing;

/// <summary>A document that two nodes show differently.</summary>
/// <param name="Key">The key.</param>
/// <param name="Difference">The kind: <c>Missing</c> on the other node, <c>Additional</c> there, or <c>Different</c>.</param>
sealed record DocumentDifference(JsonElement Key, string Difference);
