using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.EventualConsistency.Leases;

/// <summary>The document of a lease. It is never deleted, because its token must grow for ever.</summary>
sealed class LeaseRecord
{
    const string What = "a lease";

    LeaseRecord(Guid holder, long token, TimeSpan duration, long renewal, UInt128? hash)
    {
        (Holder, Token, Duration, Renewal) = (holder, token, duration, renewal);
        Content = DocumentContent.OfRaw(Record.Encode(this, static (ref writer, record) =>
        {
            writer.WriteArrayHeader(4);
            writer.Write(record.Holder.ToByteArray());
            writer.Write(record.Token);
            writer.Write(record.Duration.Ticks);
            writer.Write(record.Renewal);
        }));
        Hash = hash ?? ContentHash.Of(Content);
    }

    /// <summary>Gets the random identity of the holder; empty if the lease is released.</summary>
    public Guid Holder { get; }

    /// <summary>Gets the fencing token of the last holder.</summary>
    public long Token { get; }

    /// <summary>Gets the time for which the lease is held without a renewal.</summary>
    public TimeSpan Duration { get; }

    /// <summary>Gets the number of writes of the record. After a later founding of the sequence, another content may have the same number.</summary>
    public long Renewal { get; }

    /// <summary>Gets the content of the document.</summary>
    public DocumentContent Content { get; }

    /// <summary>Gets the hash of the content, for conditions.</summary>
    public UInt128 Hash { get; }

    /// <summary>True if nobody holds the lease.</summary>
    public bool IsReleased => Holder == Guid.Empty;

    /// <summary>Returns the record of a new holder, after the given record or as the first.</summary>
    /// <param name="holder">The random identity of the holder.</param>
    /// <param name="duration">The time for which the lease is held without a renewal.</param>
    /// <param name="before">The record before; null if there is none.</param>
    /// <param name="tokenFloor">The number that the token is greater than, whatever the record before says.</param>
    public static LeaseRecord Of(Guid holder, TimeSpan duration, LeaseRecord? before, long tokenFloor) =>
        new(holder, Math.Max(before?.Token ?? 0, tokenFloor) + 1, duration, (before?.Renewal ?? 0) + 1, hash: null);

    /// <summary>Returns the record that a document contains, or null if there is no document.</summary>
    /// <exception cref="InvalidDataException">The document is not a lease.</exception>
    public static LeaseRecord? Of(Document? document)
    {
        if (document is null)
            return null;
        if (document.Value is not { } value)
            throw new InvalidDataException("The bytes of a lease are damaged: the document has no value.");
        // The condition is on the document as it is stored, which a later version may have written with more than is read here.
        var hash = ContentHash.Of(document);
        return Record.DecodeBeginning(value, What, (ref reader) =>
        {
            int count = reader.ReadArrayHeader();
            if (count < 4)
                throw new InvalidDataException($"The bytes of {What} are damaged: they have {count} fields instead of 4.");
            return new LeaseRecord(new Guid(Record.ReadBytes(ref reader).Span), reader.ReadInt64(), TimeSpan.FromTicks(reader.ReadInt64()), reader.ReadInt64(), hash);
        });
    }

    /// <summary>Returns the record with which the holder renews the lease.</summary>
    public LeaseRecord Renewed() => new(Holder, Token, Duration, Renewal + 1, hash: null);

    /// <summary>Returns the record with which the holder releases the lease.</summary>
    public LeaseRecord Released() => new(Guid.Empty, Token, Duration, Renewal + 1, hash: null);
}
