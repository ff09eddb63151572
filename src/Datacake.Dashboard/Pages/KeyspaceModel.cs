using Datacake.Administration;

namespace Datacake.Dashboard.Pages;

/// <summary>A part of the documents of a keyspace: in the order of their keys, those that satisfy a condition, or pending deletes.</summary>
/// <param name="Addresses">The addresses of the pages.</param>
/// <param name="Keyspace">The state of the keyspace.</param>
/// <param name="Where">The condition; null for all documents.</param>
/// <param name="IsOfDeleted">True for pending deletes.</param>
/// <param name="After">The key after which the part begins, as JSON; null for the start.</param>
/// <param name="Documents">The documents.</param>
/// <param name="Deleted">The pending deletes.</param>
/// <param name="DocumentsRead">The number of documents that were read for the part.</param>
/// <param name="Next">The key after which the next part begins, as JSON; null at the end.</param>
/// <param name="Problem">The reason why there are no documents, such as a condition that is not understood; null if there is none.</param>
sealed record KeyspaceModel(
    PageAddresses Addresses, KeyspaceStatus Keyspace, string? Where, bool IsOfDeleted, string? After, IReadOnlyList<DocumentRow> Documents, IReadOnlyList<DeletedDocument> Deleted,
    int DocumentsRead, string? Next, string? Problem);
