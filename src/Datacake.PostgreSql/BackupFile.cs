using System.Buffers.Binary;
using System.Security.Cryptography;
using Datacake.Storage;
using Microsoft.Win32.SafeHandles;

namespace Datacake.PostgreSql;

/// <summary>
/// A backup in a file, open for reading only. The file has the entries in the order of their keys, in blocks with a hash each, and ends with their number.
/// </summary>
/// <remarks>
/// The file begins with the magic number and the version of the format (4 bytes). A block has the length of its contents (4 bytes), their SHA-256, and the
/// contents: for each entry, the lengths of key and value (4 bytes each), the key and the value. After the last block follow the length 0 and the number of
/// entries (8 bytes). All numbers are little-endian.
/// </remarks>
sealed class BackupFile : IStorage
{
    const int Version = 1;
    const int BlockBytes = 256 * 1024;
    const int HeaderBytes = 12, BlockHeaderBytes = sizeof(int) + SHA256.HashSizeInBytes, LengthBytes = 2 * sizeof(int), TrailerBytes = sizeof(int) + sizeof(long);
    const int EntriesOfPage = 1000;

    readonly SafeFileHandle _file;
    readonly List<Block> _blocks = [];

    BackupFile(string path, string description)
    {
        Description = description;
        try
        {
            _file = File.OpenHandle(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageException.FromFileSystem(description, e);
        }
    }

    static ReadOnlySpan<byte> Magic => "DCbackup"u8;

    public string Description { get; }

    /// <summary>Writes the entries of a snapshot to a new file.</summary>
    public static async ValueTask WriteAsync(string path, string description, IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        await DurableFile.CreateAsync(path, description, CopyAsync).ConfigureAwait(false);

        async ValueTask CopyAsync(string partial)
        {
            var file = new FileStream(partial, DurableFile.ForOwner(FileMode.CreateNew, FileAccess.Write, FileShare.None));
            await using (file.ConfigureAwait(false))
            {
                byte[] header = new byte[HeaderBytes];
                Magic.CopyTo(header);
                BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(Magic.Length), Version);
                await file.WriteAsync(header, cancellationToken).ConfigureAwait(false);
                long count = 0;
                var block = new MemoryStream();
                KeyRange range = KeyRange.All;
                while (await snapshot.ScanAsync(range, ScanDirection.Forward, EntriesOfPage, cancellationToken).ConfigureAwait(false) is { Count: > 0 } page)
                {
                    foreach (StorageEntry entry in page)
                    {
                        if (block.Length > 0 && block.Length + entry.Key.Length + entry.Value.Length > BlockBytes)
                            await WriteBlockAsync(file, block, cancellationToken).ConfigureAwait(false);
                        WriteLengths(block, entry);
                        block.Write(entry.Key.Span);
                        block.Write(entry.Value.Span);
                        count++;
                    }
                    range = range.After(page[^1].Key);
                }
                await WriteBlockAsync(file, block, cancellationToken).ConfigureAwait(false);
                byte[] trailer = new byte[TrailerBytes];
                BinaryPrimitives.WriteInt64LittleEndian(trailer.AsSpan(sizeof(int)), count);
                await file.WriteAsync(trailer, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Opens a file and checks all of it.</summary>
    /// <exception cref="StorageException">There is no file, or it is damaged, of another program, or of a newer version.</exception>
    public static async ValueTask<BackupFile> OpenAsync(string path, CancellationToken cancellationToken)
    {
        path = Path.GetFullPath(path);
        return await Task.Run(Open, cancellationToken).ConfigureAwait(false);

        BackupFile Open()
        {
            var backup = new BackupFile(path, $"backup '{path}'");
            try
            {
                backup.Check(cancellationToken);
                return backup;
            }
            catch
            {
                backup._file.Dispose();
                throw;
            }
        }
    }

    /// <summary>Returns all entries, in the order of their keys.</summary>
    public IEnumerable<StorageEntry> ReadAll() => Enumerable.Range(0, _blocks.Count).SelectMany(Read);

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(new Snapshot(this));
    }

    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default) => throw new StorageException(
        StorageError.Inaccessible, $"The {Description} is open for reading only. Restore it to a schema, and open the store there.");

    public ValueTask DisposeAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }

    static async ValueTask WriteBlockAsync(FileStream file, MemoryStream block, CancellationToken cancellationToken)
    {
        if (block.Length == 0)
            return;
        ReadOnlyMemory<byte> contents = block.GetBuffer().AsMemory(0, (int)block.Length);
        byte[] header = new byte[BlockHeaderBytes];
        BinaryPrimitives.WriteInt32LittleEndian(header, contents.Length);
        SHA256.HashData(contents.Span, header.AsSpan(sizeof(int)));
        await file.WriteAsync(header, cancellationToken).ConfigureAwait(false);
        await file.WriteAsync(contents, cancellationToken).ConfigureAwait(false);
        block.SetLength(0);
    }

    static void WriteLengths(MemoryStream block, StorageEntry entry)
    {
        Span<byte> lengths = stackalloc byte[LengthBytes];
        BinaryPrimitives.WriteInt32LittleEndian(lengths, entry.Key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(lengths[sizeof(int)..], entry.Value.Length);
        block.Write(lengths);
    }

    /// <summary>Reads the whole file, and notes where its blocks are.</summary>
    void Check(CancellationToken cancellationToken)
    {
        ReadOnlySpan<byte> header = ReadBytes(0, HeaderBytes);
        if (!header.StartsWith(Magic))
            throw new StorageException(StorageError.Foreign, $"The {Description} is not a backup that Datacake.PostgreSql has written. Choose another file.");
        int version = BinaryPrimitives.ReadInt32LittleEndian(header[Magic.Length..]);
        if (version > Version)
        {
            throw new StorageException(
                StorageError.NewerFormat, $"The {Description} has format version {version}, but this version of Datacake.PostgreSql supports only versions up to {Version}. Update the package.");
        }
        long offset = HeaderBytes;
        long count = 0;
        ReadOnlyMemory<byte>? last = null;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int length = BinaryPrimitives.ReadInt32LittleEndian(ReadBytes(offset, sizeof(int)));
            if (length == 0)
                break;
            var block = new Block(offset, length, default);
            List<StorageEntry> entries = Read(block);
            foreach (StorageEntry entry in entries)
            {
                if (last is { } previous && previous.Span.SequenceCompareTo(entry.Key.Span) >= 0)
                    throw Damaged("its keys are out of order");
                last = entry.Key;
            }
            count += entries.Count;
            _blocks.Add(block with { First = entries[0].Key.ToArray() });
            offset += BlockHeaderBytes + length;
        }
        if (count != BinaryPrimitives.ReadInt64LittleEndian(ReadBytes(offset + sizeof(int), sizeof(long))))
            throw Damaged("entries are missing");
    }

    List<StorageEntry> Read(int block) => Read(_blocks[block]);

    List<StorageEntry> Read(Block block)
    {
        if (block.Length < 0 || block.Length > RandomAccess.GetLength(_file) - block.Offset)
            throw Damaged("a block extends beyond the end of the file");
        byte[] hash = ReadBytes(block.Offset + sizeof(int), SHA256.HashSizeInBytes);
        ReadOnlyMemory<byte> rest = ReadBytes(block.Offset + BlockHeaderBytes, block.Length);
        if (!SHA256.HashData(rest.Span).AsSpan().SequenceEqual(hash))
            throw Damaged($"the block at {block.Offset} has been changed");
        var entries = new List<StorageEntry>();
        while (!rest.IsEmpty)
        {
            int key = BinaryPrimitives.ReadInt32LittleEndian(rest.Span);
            int value = BinaryPrimitives.ReadInt32LittleEndian(rest.Span[sizeof(int)..]);
            entries.Add(new StorageEntry(rest.Slice(LengthBytes, key), rest.Slice(LengthBytes + key, value)));
            rest = rest[(LengthBytes + key + value)..];
        }
        return entries;
    }

    byte[] ReadBytes(long offset, int length)
    {
        byte[] bytes = new byte[length];
        int read = 0;
        try
        {
            while (read < length && RandomAccess.Read(_file, bytes.AsSpan(read), offset + read) is > 0 and var more)
                read += more;
        }
        catch (IOException e)
        {
            throw StorageException.FromFileSystem(Description, e);
        }
        return read == length ? bytes : throw Damaged("it ends too early");
    }

    StorageException Damaged(string finding) => new(StorageError.Corrupt, $"The {Description} is damaged: {finding}. Use another backup.");

    /// <summary>Returns the index of the block that contains a key if any does: the last one that does not begin after it.</summary>
    int BlockOf(ReadOnlySpan<byte> key)
    {
        int least = 0, end = _blocks.Count;
        while (least < end)
        {
            int middle = (least + end) / 2;
            if (_blocks[middle].First.Span.SequenceCompareTo(key) <= 0)
                least = middle + 1;
            else
                end = middle;
        }
        return least - 1;
    }

    /// <summary>The place of a block in the file, and its first key.</summary>
    readonly record struct Block(long Offset, int Length, ReadOnlyMemory<byte> First);

    sealed class Snapshot(BackupFile file) : IStorageSnapshot
    {
        public ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (file.BlockOf(key.Span) is >= 0 and var block)
            {
                foreach (StorageEntry entry in file.Read(block))
                {
                    if (entry.Key.Span.SequenceEqual(key.Span))
                        return new(entry.Value);
                }
            }
            return default;
        }

        public ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
            KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
            cancellationToken.ThrowIfCancellationRequested();
            bool isForward = direction == ScanDirection.Forward;
            int first = Math.Max(0, file.BlockOf(range.Start.Span));
            int last = range.End is { } end ? file.BlockOf(end.Span) : file._blocks.Count - 1;
            for (int i = 0; i <= last - first; i++)
            {
                IEnumerable<StorageEntry> entries = file.Read(isForward ? first + i : last - i).Where(entry => range.Contains(entry.Key.Span));
                StorageEntry[] page = [.. (isForward ? entries : entries.Reverse()).Take(maxEntries)];
                if (page.Length > 0)
                    return new(page);
            }
            return new(Array.Empty<StorageEntry>());
        }

        public void Dispose()
        {
        }
    }
}
