using System.Text.Json;

namespace Datacake.Administration;

/// <summary>A deleted document that is kept until every member knows that it was deleted.</summary>
/// <param name="Key">The key of the document.</param>
/// <param name="NodeId">The node that deleted it.</param>
/// <param name="DeletedAt">The time at which it was deleted, by the clock of the cluster.</param>
public sealed record DeletedDocument(JsonElement Key, int NodeId, DateTimeOffset DeletedAt);
