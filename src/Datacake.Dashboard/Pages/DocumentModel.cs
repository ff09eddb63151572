using System.Globalization;
using System.Text.Json;
using Datacake.Administration;
using Datacake.Crdt;
using Datacake.Dashboard.Formatting;

namespace Datacake.Dashboard.Pages;

/// <summary>A document with everything that the node has about it.</summary>
/// <param name="Addresses">The addresses of the pages.</param>
/// <param name="Keyspace">The keyspace.</param>
/// <param name="Key">The key as the user gave it, or as JSON.</param>
/// <param name="Detail">The document; null if the node has nothing with the key.</param>
/// <param name="Problem">The reason why the key is none; null if it is one.</param>
sealed record DocumentModel(PageAddresses Addresses, string Keyspace, string Key, DocumentDetail? Detail, string? Problem)
{
    /// <summary>The limit of the cells that a page shows.</summary>
    public const int MaxCells = 500;

    /// <summary>Gets the cells that a reader sees, and those of deleted documents that a reader has seen, without counters.</summary>
    public IReadOnlyList<CellDetail> Values => [.. Cells.Where(static cell => cell is { IsRemoved: false, Kind: "Property" or "Element" or "Root" })
        .OrderBy(static cell => cell.Property, StringComparer.Ordinal).ThenBy(static cell => cell.Element is not null)];

    /// <summary>Gets the cells that were removed.</summary>
    public IReadOnlyList<CellDetail> Removed => [.. Cells.Where(static cell => cell.IsRemoved)];

    /// <summary>Gets the shares of counters by the name of the counter.</summary>
    public IReadOnlyList<IGrouping<string, CellDetail>> Counters => [.. Cells.Where(static cell => cell is { IsRemoved: false, Kind: "CounterShare" }).GroupBy(static cell => cell.Property)];

    /// <summary>Gets notes of assertions, which only the merge reads.</summary>
    public int Assertions => Cells.Count(static cell => cell.Kind == "Assertion");

    /// <summary>Returns the value of a cell as text. The cells of collections have marks in place of values.</summary>
    public string ValueOf(CellDetail cell)
    {
        bool isSet = Cells.Where(other => other.Property == cell.Property && other is { Kind: "Element", IsRemoved: false }).All(static other => other.Value?.ValueKind == JsonValueKind.True);
        bool isMark = cell.Value?.ValueKind == JsonValueKind.True;
        return cell.Kind switch
        {
            "Property" when isMark && Cells.Any(other => other.Property == cell.Property && other.Kind == "Element") => isSet ? "a set" : "a dictionary",
            "Element" when isMark && isSet => "in the set",
            _ => cell.Value?.GetRawText() ?? "",
        };
    }

    /// <summary>Returns the time and the node of a stamp.</summary>
    public static string Describe(string? stamp, string otherwise) => stamp is null ? otherwise
        : HlcTimestamp.TryParse(stamp, CultureInfo.InvariantCulture, out var parsed) ? $"{Shown.Time(parsed.Time)} by node {parsed.Node}" : stamp;

    IReadOnlyList<CellDetail> Cells => Detail?.Cells ?? [];
}
