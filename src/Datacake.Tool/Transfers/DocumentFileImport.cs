using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Datacake.Administration;
using Datacake.EventualConsistency;

namespace Datacake.Tool.Transfers;

/// <summary>Puts the documents of a file. Blocks are read ahead while others are stored, and the progress is kept, so that the import can resume.</summary>
sealed class DocumentFileImport(AdministrationClient client, string? store, string keyspace, string file, Consistency level)
{
    /// <summary>The number of blocks that are read ahead.</summary>
    const int ReadAhead = 8;

    static readonly TimeSpan SaveInterval = TimeSpan.FromSeconds(1);

    readonly Queue<ImportBlock> _sent = [];  // Under itself.

    /// <summary>Puts the documents, and returns their number.</summary>
    /// <param name="isResumed">True to continue where an earlier import has ended.</param>
    /// <param name="report">A callback that receives the number of documents and the position in the file up to which everything is stored.</param>
    /// <param name="cancellationToken">A token that ends the import. The documents so far stay stored.</param>
    public async Task<long> RunAsync(bool isResumed, Action<long, long> report, CancellationToken cancellationToken)
    {
        var start = (isResumed ? ImportProgress.Read(file, keyspace, store) : null) ?? new ImportProgress(keyspace, new FileInfo(file).Length, 0, 0, store);
        var progress = start;
        long count = 0, saved = Stopwatch.GetTimestamp();
        try
        {
            await foreach (int documents in client.ImportAsync(keyspace, SendAsync(start, cancellationToken), level, start.Line, cancellationToken).ConfigureAwait(false))
            {
                count += documents;
                progress = Acknowledge(progress);
                report(count, progress.Position);
                if (Stopwatch.GetElapsedTime(saved) > SaveInterval)
                {
                    progress.Write(file);
                    saved = Stopwatch.GetTimestamp();
                }
            }
        }
        catch
        {
            progress.Write(file);
            throw;
        }
        ImportProgress.Delete(file);
        return count;
    }

    async IAsyncEnumerable<ReadOnlyMemory<byte>> SendAsync(ImportProgress start, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ahead = Channel.CreateBounded<ImportBlock>(new BoundedChannelOptions(ReadAhead) { SingleReader = true, SingleWriter = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = Task.Run(ReadAsync, CancellationToken.None);
        try
        {
            await foreach (var block in ahead.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                lock (_sent)
                    _sent.Enqueue(block);
                yield return block.Lines;
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task ReadAsync()
        {
            try
            {
                var blocks = FileKinds.Of(file) switch
                {
                    FileKind.Csv => CsvReader.Read(file, start.Position).ToAsyncEnumerable(),
                    FileKind.Parquet => ParquetImport.ReadAsync(file, start.Position, stop.Token),
                    _ => JsonLinesReader.Read(file, start.Position, start.Line).ToAsyncEnumerable(),
                };
                await foreach (var block in blocks.ConfigureAwait(false))
                    await ahead.Writer.WriteAsync(block, stop.Token).ConfigureAwait(false);
                ahead.Writer.Complete();
            }
            catch (Exception e)
            {
                ahead.Writer.Complete(e);
            }
        }
    }

    /// <summary>Returns the progress after the next block was stored. Blocks of empty lines are not acknowledged.</summary>
    ImportProgress Acknowledge(ImportProgress before)
    {
        lock (_sent)
        {
            ImportBlock block;
            do
                block = _sent.Dequeue();
            while (block.Documents == 0);
            return before with { Position = block.Position, Line = block.Line };
        }
    }
}
