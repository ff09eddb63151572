using System.Text.Json;

namespace Datacake.Administration;

/// <summary>A document with everything that the store has about it.</summary>
/// <param name="Keyspace">The keyspace of the document.</param>
/// <param name="Key">The key of the document.</param>
/// <param name="Exists">True if readers see the document. A deleted one is kept until every member knows that it was deleted.</param>
/// <param name="Document">What readers see; null if the document is deleted.</param>
/// <param name="Born">The stamp of the newest put of the whole document; null if there is none.</param>
/// <param name="Touched">The stamp of the newest update; null if there is none.</param>
/// <param name="Died">The stamp of the newest delete; null if there is none.</param>
/// <param name="Cells">All cells, in the order of their properties.</param>
public sealed record DocumentDetail(
    string Keyspace, JsonElement Key, bool Exists, JsonElement? Document, string? Born, string? Touched, string? Died, IReadOnlyList<CellDetail> Cells);
