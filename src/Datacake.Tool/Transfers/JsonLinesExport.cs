using System.Buffers;
using System.Text.Json;
using Datacake.Administration;

namespace Datacake.Tool.Transfers;

/// <summary>Writes the documents of a keyspace to a file as JSON Lines. The file can be continued after its last whole line.</summary>
sealed class JsonLinesExport(AdministrationClient client, string keyspace, string file)
{
    const int TailLength = 64 * 1024;

    /// <summary>Writes the documents, and returns their number.</summary>
    /// <param name="isResumed">True to continue after the last document of the file.</param>
    /// <param name="report">A callback that receives the number of documents so far.</param>
    /// <param name="cancellationToken">A token that ends the export. The documents so far stay in the file.</param>
    public async Task<long> RunAsync(bool isResumed, Action<long> report, CancellationToken cancellationToken)
    {
        var target = new FileStream(file, isResumed ? FileMode.OpenOrCreate : FileMode.Create, FileAccess.ReadWrite, FileShare.Read, 1 << 20, useAsync: false);
        await using var disposal = target.ConfigureAwait(false);
        var after = isResumed ? CutAfterLastLine(target) : null;
        long count = 0;
        await foreach (var block in client.ExportAsync(keyspace, after, cancellationToken: cancellationToken).ConfigureAwait(false))
        {
            target.Write(block.Span);
            count += block.Span.Count((byte)'\n');
            report(count);
        }
        target.Flush(flushToDisk: true);
        return count;
    }

    /// <summary>Removes a line that was written in part, and returns the key of the last whole one.</summary>
    static JsonElement? CutAfterLastLine(FileStream target)
    {
        long end = LastBreakBefore(target, target.Length) + 1;
        target.SetLength(end);
        if (end == 0)
            return null;
        long start = LastBreakBefore(target, end - 1) + 1;
        byte[] line = new byte[end - start];
        target.Position = start;
        target.ReadExactly(line);
        using var row = JsonDocument.Parse(line);
        return row.RootElement.GetProperty("key"u8).Clone();
    }

    /// <summary>Returns the position of the last line break before a position, or -1.</summary>
    static long LastBreakBefore(FileStream target, long position)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(TailLength);
        try
        {
            while (position > 0)
            {
                int length = (int)Math.Min(position, TailLength);
                position -= length;
                target.Position = position;
                target.ReadExactly(buffer, 0, length);
                int found = buffer.AsSpan(0, length).LastIndexOf((byte)'\n');
                if (found >= 0)
                    return position + found;
            }
            return -1;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
