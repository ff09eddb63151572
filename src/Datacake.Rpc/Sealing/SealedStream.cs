using System.Buffers;
using System.Runtime.CompilerServices;
using Datacake.Rpc.Transport;

namespace Datacake.Rpc.Sealing;

/// <summary>
/// A stream that seals written bytes and opens read bytes, so that nobody in between can read or change them. One writer and one reader may
/// use it at a time. It is unusable after a failed read or write.
/// </summary>
sealed class SealedStream(Stream inner, RecordCipher sending, RecordCipher receiving) : AsyncStream
{
    /// <summary>The maximum number of bytes that are sealed for one write to the inner stream.</summary>
    const int PartSize = 4 * RecordCipher.MaxContents;

    const int ReceiveBufferSize = 2 * (RecordCipher.MaxContents + RecordCipher.Overhead);

    readonly byte[] _received = new byte[ReceiveBufferSize];
    int _start;             // The received bytes that are not opened yet are _received[_start.._end].
    int _end;
    byte[] _opened = [];    // A record that did not fit into the reader's buffer; the rest of it is _opened[_openedStart.._openedEnd].
    int _openedStart;
    int _openedEnd;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var part = buffer[..Math.Min(buffer.Length, PartSize)];
            var records = ArrayPool<byte>.Shared.Rent(SizeOfRecords(part.Length));
            try
            {
                var size = Seal(part.Span, records);
                await inner.WriteAsync(records.AsMemory(0, size), cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(records);
            }

            buffer = buffer[part.Length..];
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (TryTake(buffer.Span) is var count && (count > 0 || buffer.IsEmpty))
                return count;
            if (_start > 0)
            {
                _received.AsSpan(_start, _end - _start).CopyTo(_received);
                (_start, _end) = (0, _end - _start);
            }

            var read = await inner.ReadAsync(_received.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (read == 0)
                return 0;
            _end += read;
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    protected override void Dispose(bool disposing)
    {
        sending.Dispose();
        receiving.Dispose();
        inner.Dispose();
        base.Dispose(disposing);
    }

    static int SizeOfRecords(int contents) =>
        contents + ((contents + RecordCipher.MaxContents - 1) / RecordCipher.MaxContents * RecordCipher.Overhead);

    int Seal(ReadOnlySpan<byte> contents, Span<byte> records)
    {
        var size = 0;
        while (!contents.IsEmpty)
        {
            var one = contents[..Math.Min(contents.Length, RecordCipher.MaxContents)];
            size += sending.Seal(one, records[size..]);
            contents = contents[one.Length..];
        }

        return size;
    }

    /// <summary>Opens as many received records as fit into the target. Returns 0 if no complete record is available.</summary>
    int TryTake(Span<byte> target)
    {
        var taken = TakeOpened(target);
        while (taken < target.Length && _end - _start >= RecordCipher.HeaderSize)
        {
            var length = RecordCipher.ReadLength(_received.AsSpan(_start));
            var size = length + RecordCipher.Overhead;
            if (_end - _start < size)
                break;
            var record = _received.AsSpan(_start, size);
            _start += size;
            if (length <= target.Length - taken)
            {
                receiving.Open(record, target.Slice(taken, length));
                taken += length;
                continue;
            }

            if (_opened.Length == 0)
                _opened = new byte[RecordCipher.MaxContents];
            receiving.Open(record, _opened.AsSpan(0, length));
            (_openedStart, _openedEnd) = (0, length);
            taken += TakeOpened(target[taken..]);
        }

        return taken;
    }

    int TakeOpened(Span<byte> target)
    {
        var count = Math.Min(target.Length, _openedEnd - _openedStart);
        _opened.AsSpan(_openedStart, count).CopyTo(target);
        _openedStart += count;
        return count;
    }
}
