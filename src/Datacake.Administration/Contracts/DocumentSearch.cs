using System.Text.Json;

namespace Datacake.Administration;

/// <summary>The documents that a part of a search has found, in the order of their keys.</summary>
/// <param name="Documents">The documents.</param>
/// <param name="DocumentsRead">The number of documents that were read to find them.</param>
/// <param name="Next">The key after which the search continues; null at the end of the keyspace.</param>
public sealed record DocumentSearch(IReadOnlyList<DocumentRow> Documents, int DocumentsRead, JsonElement? Next);
