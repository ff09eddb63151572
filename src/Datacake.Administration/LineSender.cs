using System.Buffers;
using Datacake.Rpc;

namespace Datacake.Administration;

/// <summary>Sends lines over a stream, many in each message and each as a whole.</summary>
sealed class LineSender(RpcStream stream)
{
    const int MessageLength = 128 * 1024;

    readonly ArrayBufferWriter<byte> _lines = new(2 * MessageLength);

    /// <summary>Gets the writer of the next line.</summary>
    public IBufferWriter<byte> Line => _lines;

    /// <summary>Ends a line, and sends the lines so far if they are enough for a message.</summary>
    public ValueTask EndLineAsync(CancellationToken cancellationToken)
    {
        _lines.Write("\n"u8);
        return _lines.WrittenCount < MessageLength ? ValueTask.CompletedTask : SendAsync(cancellationToken);
    }

    /// <summary>Sends the last lines, and ends the stream.</summary>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        if (_lines.WrittenCount > 0)
            await SendAsync(cancellationToken).ConfigureAwait(false);
        await stream.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        await stream.WriteAsync(_lines.WrittenMemory, cancellationToken).ConfigureAwait(false);
        _lines.ResetWrittenCount();
    }
}
