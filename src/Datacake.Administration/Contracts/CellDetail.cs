using System.Text.Json;

namespace Datacake.Administration;

/// <summary>A cell of a document: a value that is merged on its own, with its writer.</summary>
/// <param name="Property">The name of the property; empty for a document without properties.</param>
/// <param name="Kind">The kind of the cell: <c>Root</c>, <c>Property</c>, <c>Element</c>, <c>CounterShare</c> or <c>Assertion</c>.</param>
/// <param name="Element">The element of a set, or the key of a dictionary's entry; null for other cells.</param>
/// <param name="Value">The value; null if it was removed.</param>
/// <param name="IsRemoved">True if the value was removed. The cell is kept until every member knows that.</param>
/// <param name="IsShown">True if readers see the cell.</param>
/// <param name="NodeId">The node that wrote the cell.</param>
/// <param name="WrittenAt">The time at which the cell was written, by the clock of the cluster.</param>
/// <param name="Stamp">The stamp of the transaction that wrote the cell.</param>
public sealed record CellDetail(
    string Property, string Kind, JsonElement? Element, JsonElement? Value, bool IsRemoved, bool IsShown, int NodeId, DateTimeOffset WrittenAt, string Stamp);
