using System.Buffers.Binary;
using System.Security.Cryptography;
using Datacake.Storage;

namespace Example;

/// <summary>
/// A store in a directory, with a file for each key. Commits go to a journal first and are folded into the files later. Reads are answered from
/// a copy of everything in memory. Suited to small stores whose files people like to inspect.
/// </summary>
public sealed class FolderStorage : IDurableStorage
{
    const string FormatVersion = "1";
    const int CommitsPerFold = 256;

    readonly string _path;
    readonly StorageLock _ownership;
    readonly SemaphoreSlim _writing = new(1);                    // Held while the files or the fields below change.
    readonly FileStream _journal;
    readonly Dictionary<string, byte[]> _unfolded = [];          // The keys in the journal, by the names of their files.
    readonly MemoryStorage _contents = new();                    // The contents of the files and the journal.
    int _commitsToFold = CommitsPerFold;
    bool _disposed;

    FolderStorage(string path)
    {
        _ownership = StorageLock.Acquire(path, $"folder '{path}'");
        // The given path may be a symbolic link.
        _path = _ownership.Path;
        try
        {
            PrepareFormat();
            // Unbuffered, so that written data survive a crash of the process.
            _journal = new FileStream(JournalPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
            // After a power loss, a file on the disk is found only if its name is on the disk, too.
            DurableFile.FlushDirectory(_path);
        }
        catch (Exception failure)
        {
            _ownership.Dispose();
            if (failure is IOException or UnauthorizedAccessException)
                throw StorageException.FromFileSystem(Description, failure);
            throw;
        }
    }

    public string Description => $"folder '{_path}'";

    string FormatPath => Path.Combine(_path, "format");

    string JournalPath => Path.Combine(_path, "journal");

    string EntriesPath => Path.Combine(_path, "entries");

    /// <summary>Opens the folder, or creates it.</summary>
    public static FolderStorage Open(string path)
    {
        var storage = new FolderStorage(Path.GetFullPath(path));
        try
        {
            storage.Load();
            return storage;
        }
        catch
        {
            storage.Close();
            throw;
        }
    }

    /// <summary>Creates the folder of a store from a backup.</summary>
    public static async ValueTask RestoreAsync(string backup, string path, CancellationToken cancellationToken = default)
    {
        using (StorageLock.Acquire(path, $"folder '{path}'"))
        {
            if (!Directory.Exists(backup))
                throw new StorageException(StorageError.Inaccessible, $"The backup '{backup}' does not exist. Check the path.");
            await using FolderStorage source = Open(backup);   // This checks the whole backup.
            await source.BackUpAsync(path, cancellationToken);
        }
        await using FolderStorage restored = Open(path);
        await RestoreMark.WriteAsync(restored, cancellationToken);
    }

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) =>
        _contents.OpenSnapshotAsync(cancellationToken);

    public async ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            AppendToJournal(batch, durability);
            await _contents.CommitAsync(batch, durability, CancellationToken.None);
            foreach (WriteOperation operation in batch.Operations)
                _unfolded[FileNameOf(operation.Key)] = operation.Key.ToArray();
            if (--_commitsToFold <= 0)
                await TryFoldAsync();
        }
        finally
        {
            _writing.Release();
        }
    }

    public async ValueTask BackUpAsync(string path, CancellationToken cancellationToken = default)
    {
        path = Path.GetFullPath(path);
        if (Path.Exists(path))
            throw new StorageException(StorageError.Inaccessible, $"The backup '{path}' already exists. Choose another path.");
        string partial = path + ".partial";
        using IStorageSnapshot snapshot = await OpenSnapshotAsync(cancellationToken);
        try
        {
            Delete(partial);
            await using (FolderStorage copy = Open(partial))
            {
                KeyRange range = KeyRange.All;
                var batch = new WriteBatch();
                while (await snapshot.ScanAsync(range, ScanDirection.Forward, 1000, cancellationToken) is { Count: > 0 } page)
                {
                    batch.Clear();
                    foreach (StorageEntry entry in page)
                        batch.Put(entry.Key, entry.Value);
                    await copy.CommitAsync(batch, Durability.Buffered, cancellationToken);
                    range = range.After(page[^1].Key);
                }
                await copy.CompactAsync(cancellationToken);
            }
            Directory.Move(partial, path);
            DurableFile.FlushDirectory(Path.GetDirectoryName(path)!);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw StorageException.FromFileSystem(Description, failure);
        }
        finally
        {
            Delete(partial);
        }
    }

    public async ValueTask<IStorage> OpenBackupAsync(string path, CancellationToken cancellationToken = default)
    {
        string description = $"backup '{path}'";
        try
        {
            if (File.ReadAllText(Path.Combine(path, "format")) is var version && version != FormatVersion)
                throw new StorageException(StorageError.NewerFormat, $"The {description} has format {version}, not {FormatVersion}. Update the package.");
            // The journal of a backup is empty.
            var contents = new MemoryStorage();
            foreach (WriteOperation entry in ReadEntries(Path.Combine(path, "entries"), description))
            {
                var batch = new WriteBatch();
                batch.Put(entry.Key, entry.Value!.Value);
                await contents.CommitAsync(batch, Durability.Buffered, cancellationToken);
            }
            return contents;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw StorageException.FromFileSystem(description, failure);
        }
    }

    public async ValueTask CompactAsync(CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            await FoldAsync();
        }
        finally
        {
            _writing.Release();
        }
    }

    public async ValueTask CheckAsync(CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            foreach (WriteOperation _ in ReadEntries(EntriesPath, Description))
                cancellationToken.ThrowIfCancellationRequested();
        }
        finally
        {
            _writing.Release();
        }
    }

    public ValueTask<long> GetSizeOnDiskAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new(new DirectoryInfo(_path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length));
    }

    public async ValueTask DisposeAsync()
    {
        await _writing.WaitAsync();
        try
        {
            if (_disposed)
                return;
            _disposed = true;
            await _contents.DisposeAsync();
            Close();
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Marks a new folder. Refuses a folder that is not a store or has a newer format.</summary>
    void PrepareFormat()
    {
        Directory.CreateDirectory(_path);
        if (File.Exists(FormatPath))
        {
            string version = File.ReadAllText(FormatPath);
            if (version != FormatVersion)
            {
                throw new StorageException(
                    StorageError.NewerFormat, $"The {Description} has format {version}, not {FormatVersion}. Update the package.");
            }
        }
        else if (Directory.EnumerateFileSystemEntries(_path).Any(name => name != FormatPath + ".new"))
        {
            throw new StorageException(StorageError.Foreign, $"The {Description} is not a store of this kind. Choose another path.");
        }
        else
        {
            WriteFile(FormatPath, System.Text.Encoding.ASCII.GetBytes(FormatVersion));
        }
        Directory.CreateDirectory(EntriesPath);
    }

    void Load()
    {
        try
        {
            foreach (string left in Directory.EnumerateFiles(EntriesPath, "*.new"))
                File.Delete(left);
            foreach (WriteOperation entry in ReadEntries(EntriesPath, Description))
                Apply([entry]);
            byte[] journal = new byte[_journal.Length];
            _journal.ReadExactly(journal);
            int end = 0;
            while (Record.TryRead(journal.AsMemory(end), out WriteOperation[] batch, out int length))
            {
                Apply(batch);
                foreach (WriteOperation operation in batch)
                    _unfolded[FileNameOf(operation.Key)] = operation.Key.ToArray();
                end += length;
            }
            // The rest is a batch that a crash cut short before it was acknowledged.
            _journal.SetLength(end);
            _journal.Position = end;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw StorageException.FromFileSystem(Description, failure);
        }
    }

    void Apply(WriteOperation[] operations)
    {
        var batch = new WriteBatch();
        foreach (WriteOperation operation in operations)
        {
            if (operation.Value is { } value)
                batch.Put(operation.Key, value);
            else
                batch.Delete(operation.Key);
        }
        ValueTask done = _contents.CommitAsync(batch, Durability.Buffered);
        if (!done.IsCompletedSuccessfully)
            throw new InvalidOperationException("The store in memory did not complete the call synchronously.");
    }

    void AppendToJournal(WriteBatch batch, Durability durability)
    {
        long end = _journal.Position;
        try
        {
            _journal.Write(Record.Of(batch.Operations));
            // This also flushes earlier buffered commits, which precede the batch in the same file.
            if (durability == Durability.Flushed)
                _journal.Flush(flushToDisk: true);
        }
        catch (IOException failure)
        {
            _journal.SetLength(end);
            _journal.Position = end;
            throw StorageException.FromFileSystem(Description, failure);
        }
    }

    async Task TryFoldAsync()
    {
        try
        {
            await FoldAsync();
        }
        catch (StorageException)
        {
            // The batch is in the journal and stays there until a later fold finds room.
        }
    }

    /// <summary>Brings the files up to date and then empties the journal.</summary>
    async Task FoldAsync()
    {
        try
        {
            _commitsToFold = CommitsPerFold;
            // Otherwise a power loss could leave a part of a batch in the files and none of it in the journal.
            _journal.Flush(flushToDisk: true);
            using IStorageSnapshot snapshot = await _contents.OpenSnapshotAsync();
            foreach ((string name, byte[] key) in _unfolded)
            {
                string path = Path.Combine(EntriesPath, name);
                if (await snapshot.GetAsync(key) is { } value)
                    WriteFile(path, Record.Of([new WriteOperation(key, value)]));
                else
                    File.Delete(path);
            }
            DurableFile.FlushDirectory(EntriesPath);
            _journal.SetLength(0);
            _journal.Position = 0;
            _journal.Flush(flushToDisk: true);
            _unfolded.Clear();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw StorageException.FromFileSystem(Description, failure);
        }
    }

    static IEnumerable<WriteOperation> ReadEntries(string folder, string description)
    {
        foreach (string path in Directory.EnumerateFiles(folder))
        {
            if (!Record.TryRead(File.ReadAllBytes(path), out WriteOperation[] entry, out _) || entry.Length != 1)
            {
                throw new StorageException(
                    StorageError.Corrupt, $"The {description} is damaged: '{path}' has changed since it was written. Restore a backup.");
            }
            yield return entry[0];
        }
    }

    /// <summary>Replaces a file atomically: the new contents are on the disk before the file gets its name.</summary>
    static void WriteFile(string path, byte[] contents)
    {
        string replacement = path + ".new";
        File.WriteAllBytes(replacement, contents);
        DurableFile.Flush(replacement);
        File.Move(replacement, path, overwrite: true);
    }

    /// <summary>Returns a file name for a key. A key may be longer than a file name and contain any bytes.</summary>
    static string FileNameOf(ReadOnlyMemory<byte> key) => Convert.ToHexStringLower(SHA256.HashData(key.Span));

    static void Delete(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
        File.Delete(path + ".lock");
    }

    void Close()
    {
        _journal.Dispose();
        _ownership.Dispose();
    }

    /// <summary>The encoding of operations: their length, a hash that detects incomplete data, and the operations.</summary>
    static class Record
    {
        const int HeaderBytes = sizeof(int) + SHA256.HashSizeInBytes;

        public static byte[] Of(ReadOnlySpan<WriteOperation> operations)
        {
            using var stream = new MemoryStream();
            using var writer = new BinaryWriter(stream);
            writer.Write(new byte[HeaderBytes]);
            foreach (WriteOperation operation in operations)
            {
                writer.Write(operation.Key.Length);
                writer.Write(operation.Key.Span);
                writer.Write(operation.Value?.Length ?? -1);
                writer.Write((operation.Value ?? default).Span);
            }
            byte[] record = stream.ToArray();
            BinaryPrimitives.WriteInt32LittleEndian(record, record.Length - HeaderBytes);
            SHA256.HashData(record.AsSpan(HeaderBytes), record.AsSpan(sizeof(int)));
            return record;
        }

        public static bool TryRead(ReadOnlyMemory<byte> bytes, out WriteOperation[] operations, out int length)
        {
            operations = [];
            length = HeaderBytes;
            if (bytes.Length < HeaderBytes)
                return false;
            int contentLength = BinaryPrimitives.ReadInt32LittleEndian(bytes.Span);
            if (contentLength < 0 || contentLength > bytes.Length - HeaderBytes)
                return false;
            length += contentLength;
            ReadOnlyMemory<byte> content = bytes[HeaderBytes..length];
            if (!SHA256.HashData(content.Span).AsSpan().SequenceEqual(bytes.Span[sizeof(int)..HeaderBytes]))
                return false;
            var read = new List<WriteOperation>();
            while (!content.IsEmpty)
            {
                ReadOnlyMemory<byte> key = Take(ref content) ?? default;
                read.Add(new WriteOperation(key, Take(ref content)));
            }
            operations = [.. read];
            return true;
        }

        static ReadOnlyMemory<byte>? Take(ref ReadOnlyMemory<byte> content)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(content.Span);
            content = content[sizeof(int)..];
            if (length < 0)
                return null;
            ReadOnlyMemory<byte> taken = content[..length];
            content = content[length..];
            return taken;
        }
    }
}
