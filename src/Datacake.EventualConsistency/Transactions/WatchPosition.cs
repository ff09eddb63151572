using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>
/// The position of a watcher in the changes of a store: the set of transactions that it has seen. Its text can be kept anywhere, and a
/// watch can continue from it after a restart, also on another node of the cluster.
/// </summary>
public sealed class WatchPosition : IEquatable<WatchPosition>
{
    readonly VersionVector? _known;

    internal WatchPosition(VersionVector? known) => _known = known;

    /// <summary>
    /// Gets the position that stands for the moment at which a watch starts: the watch delivers what changes from then on.
    /// </summary>
    public static WatchPosition Now { get; } = new(null);

    /// <summary>Gets the transactions; null for <see cref="Now"/>.</summary>
    internal VersionVector? Known => _known;

    /// <summary>
    /// Returns true if everything that the other position has seen was also seen here. <see cref="Now"/> covers only itself, and is covered
    /// only by itself.
    /// </summary>
    public bool Covers(WatchPosition other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return _known is not null && other._known is not null ? _known.Covers(other._known) : ReferenceEquals(_known, other._known);
    }

    /// <summary>Returns the text form, which <see cref="TryParse"/> parses.</summary>
    public override string ToString()
    {
        if (_known is null)
            return "now";
        var bytes = new ArrayBufferWriter<byte>();
        _known.Write(bytes);
        return Base64Url.EncodeToString(bytes.WrittenSpan);
    }

    /// <summary>Parses the text form. Returns false if the text is not valid.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out WatchPosition? position)
    {
        position = text == "now" ? Now : null;
        if (text is null or "now" || !Base64Url.IsValid(text))
            return position is not null;
        try
        {
            ReadOnlySpan<byte> bytes = Base64Url.DecodeFromChars(text);
            var known = VersionVector.Read(ref bytes);
            position = bytes.IsEmpty ? new WatchPosition(known) : null;
        }
        catch (InvalidDataException)
        {
            return false;
        }
        return position is not null;
    }

    /// <inheritdoc/>
    public bool Equals(WatchPosition? other) => other is not null && Equals(_known, other._known);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as WatchPosition);

    /// <inheritdoc/>
    public override int GetHashCode() => _known?.GetHashCode() ?? 0;
}
