using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>
/// How far a watcher has seen the changes of a store: the transactions that it reflects. Its text can be kept anywhere, and a watch can go on from it
/// after a restart, on another node of the cluster, too.
/// </summary>
public sealed class WatchPosition : IEquatable<WatchPosition>
{
    readonly VersionVector? _known;

    internal WatchPosition(VersionVector? known) => _known = known;

    /// <summary>The moment at which a watch starts: it tells what changes from then on.</summary>
    public static WatchPosition Now { get; } = new(null);

    /// <summary>The transactions; none known for <see cref="Now"/>.</summary>
    internal VersionVector? Known => _known;

    /// <summary>Whether everything that the other position has seen was seen here, too. <see cref="Now"/> covers, and is covered by, itself alone.</summary>
    public bool Covers(WatchPosition other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return _known is not null && other._known is not null ? _known.Covers(other._known) : ReferenceEquals(_known, other._known);
    }

    /// <summary>The text form, which <see cref="TryParse"/> reads.</summary>
    public override string ToString()
    {
        if (_known is null)
            return "now";
        var bytes = new ArrayBufferWriter<byte>();
        _known.Write(bytes);
        return Base64Url.EncodeToString(bytes.WrittenSpan);
    }

    /// <summary>Reads the text form.</summary>
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
