using System.Text.Json;

namespace Datacake.Administration;

/// <summary>The pending deletes in a part of a keyspace, in the order of their keys.</summary>
/// <param name="Documents">The deleted documents.</param>
/// <param name="DocumentsRead">The number of documents that were read to find them.</param>
/// <param name="Next">The key after which the list continues; null at the end of the keyspace.</param>
public sealed record DeletedDocumentList(IReadOnlyList<DeletedDocument> Documents, int DocumentsRead, JsonElement? Next);
