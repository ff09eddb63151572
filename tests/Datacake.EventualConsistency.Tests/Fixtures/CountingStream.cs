namespace Datacake.EventualConsistency.Tests.Fixtures;

/// <summary>A stream that counts the bytes read. A callback can delay each read and each write.</summary>
sealed class CountingStream(Stream stream, Action<int> onRead, Func<Task> waitToRead, Func<Task> waitToWrite) : Stream
{
    readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets the limit in bytes for the next read.</summary>
    public Func<int> MaxRead { get; init; } = () => int.MaxValue;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.WhenAny(waitToRead(), _disposed.Task).WaitAsync(cancellationToken);
        int count = await stream.ReadAsync(buffer[..Math.Min(buffer.Length, MaxRead())], cancellationToken);
        onRead(count);
        return count;
    }

    public override void Write(byte[] buffer, int offset, int count) => stream.Write(buffer, offset, count);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.WhenAny(waitToWrite(), _disposed.Task).WaitAsync(cancellationToken);
        await stream.WriteAsync(buffer, cancellationToken);
    }

    public override void Flush() => stream.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => stream.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            stream.Dispose();
        _disposed.TrySetResult();
        base.Dispose(disposing);
    }
}
