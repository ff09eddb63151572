using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Snapshots;

/// <summary>
/// A page of the entries of an index, in memory that is used again for the next page. The content of the page is valid until the page is
/// filled again or disposed. Not thread-safe.
/// </summary>
sealed class IndexPage : IDisposable
{
    /// <summary>Gets the number of entries.</summary>
    public int Count => Entries.Count;

    internal EntryPage Entries { get; } = new();

    /// <summary>Returns the encoded value of an entry followed by its encoded key, which is where a scan continues.</summary>
    public ReadOnlySpan<byte> PositionOf(int entry) => Entries.KeyOf(entry)[StoreLayout.IndexEntryPrefixLength..];

    /// <summary>Returns the encoded key of the document to which an entry refers.</summary>
    public ReadOnlySpan<byte> KeyOf(int entry) => PositionOf(entry)[^Entries.ValueOf(entry)[0]..];

    /// <summary>Returns the encoded value of an entry.</summary>
    public ReadOnlySpan<byte> ValueOf(int entry) => PositionOf(entry)[..^Entries.ValueOf(entry)[0]];

    /// <inheritdoc/>
    public void Dispose() => Entries.Dispose();
}
