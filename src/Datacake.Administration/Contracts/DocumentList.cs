using System.Text.Json;

namespace Datacake.Administration;

/// <summary>Some documents of a keyspace, in the order of their keys.</summary>
/// <param name="Documents">The documents.</param>
/// <param name="Next">The key after which the next documents come; null at the end.</param>
public sealed record DocumentList(IReadOnlyList<DocumentRow> Documents, JsonElement? Next);
