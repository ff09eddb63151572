using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>
/// A page of an index's entries, in memory that is used again for the next page. What it shows is valid until it is filled again or disposed.
/// Not thread-safe.
/// </summary>
public sealed class IndexPage : IDisposable
{
    /// <summary>How many entries there are.</summary>
    public int Count => Entries.Count;

    internal EntryPage Entries { get; } = new();

    /// <summary>The encoded value of an entry followed by the encoded key: where a scan goes on.</summary>
    public ReadOnlySpan<byte> PositionOf(int entry) => Entries.KeyOf(entry)[StoreLayout.IndexEntryPrefixLength..];

    /// <summary>The encoded key of the document that is found there.</summary>
    public ReadOnlySpan<byte> KeyOf(int entry) => PositionOf(entry)[^Entries.ValueOf(entry)[0]..];

    /// <summary>The encoded value under which it is found.</summary>
    public ReadOnlySpan<byte> ValueOf(int entry) => PositionOf(entry)[..^Entries.ValueOf(entry)[0]];

    /// <inheritdoc/>
    public void Dispose() => Entries.Dispose();
}
