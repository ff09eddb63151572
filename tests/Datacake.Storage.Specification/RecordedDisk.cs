namespace Datacake.Storage.Specification;

/// <summary>
/// The files of a store as a power loss would leave them, computed from a record of system calls. Data that were forced to the disk are there; of
/// other data, any part may be.
/// </summary>
/// <remarks>
/// The unit that is written as a whole is a sector of 512 bytes. New file names are assumed to be there at once: another test covers them.
/// </remarks>
sealed class RecordedDisk(string root, Func<string, bool> isData)
{
    const int SectorBytes = 512;

    readonly Dictionary<string, RecordedFile> _files = [];
    readonly Dictionary<int, long> _positions = [];       // The positions of descriptors.
    readonly HashSet<int> _synced = [];                   // Descriptors whose writes are on the disk when they return.

    /// <summary>Applies a recorded call.</summary>
    public void Replay(SystemCall call)
    {
        if (call.Name == "openat")
        {
            _positions[call.OpenedDescriptor] = 0;
            _synced.Remove(call.OpenedDescriptor);
            if (call.OpensForSyncedWrites)
                _synced.Add(call.OpenedDescriptor);
            if (call.MakesFile && IsPart(call.OpenedPath))
                _files.TryAdd(call.OpenedPath, new RecordedFile());
        }
        else if (call.Name == "lseek")
        {
            _positions[call.Descriptor] = long.Parse(call.Result, provider: null);
        }
        else if (call.IsRename && IsPart(call.LastArgument))
        {
            _files.Remove(call.FirstArgument, out RecordedFile? file);
            _files[call.LastArgument] = file ?? throw new InvalidOperationException($"'{call.FirstArgument}' was renamed but never created.");
        }
        else if (call.IsRemoval)
        {
            _files.Remove(call.FirstArgument);
        }
        else if (IsPart(call.Path) && _files.TryGetValue(call.Path, out RecordedFile? file))
        {
            Replay(call, file);
        }
    }

    /// <summary>Writes the files that a power loss leaves to another directory.</summary>
    /// <param name="target">The directory for the store.</param>
    /// <param name="survives">Returns true if a sector that was not forced to the disk is there nevertheless.</param>
    public void WriteTo(string target, Func<bool> survives)
    {
        foreach ((string path, RecordedFile file) in _files)
        {
            string copy = target + path[root.Length..];
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.WriteAllBytes(copy, file.AfterPowerLoss(survives));
        }
    }

    bool IsPart(string path) => path.StartsWith(root, StringComparison.Ordinal) && isData(path);

    void Replay(SystemCall call, RecordedFile file)
    {
        if (call.IsSync)
        {
            file.Sync();
        }
        else if (call.IsCut)
        {
            file.Do(new Change(call.LastNumber, null), _synced.Contains(call.Descriptor));
        }
        else if (call.IsWrite)
        {
            byte[] data = call.Data;
            long offset = call.IsSequential ? _positions[call.Descriptor] : call.LastNumber;
            if (call.IsSequential)
                _positions[call.Descriptor] += data.Length;
            file.Do(new Change(offset, data), _synced.Contains(call.Descriptor));
        }
    }

    /// <summary>A write at an offset or, without data, a truncation at it.</summary>
    sealed record Change(long Offset, byte[]? Data)
    {
        public void ApplyTo(MemoryStream contents, Func<bool> survives)
        {
            if (Data is null)
            {
                if (survives())
                    contents.SetLength(Offset);
                return;
            }
            int length;
            for (int start = 0; start < Data.Length; start += length)
            {
                length = (int)Math.Min(Data.Length - start, SectorBytes - (Offset + start) % SectorBytes);
                if (!survives())
                    continue;
                contents.Position = Offset + start;
                contents.Write(Data, start, length);
            }
        }
    }

    sealed class RecordedFile
    {
        readonly List<Change> _pending = [];
        byte[] _onDisk = [];

        public void Do(Change change, bool isSynced)
        {
            if (isSynced)
                _onDisk = With([change], () => true);
            else
                _pending.Add(change);
        }

        public void Sync()
        {
            _onDisk = With(_pending, () => true);
            _pending.Clear();
        }

        public byte[] AfterPowerLoss(Func<bool> survives) => With(_pending, survives);

        byte[] With(List<Change> changes, Func<bool> survive)
        {
            using var contents = new MemoryStream();
            contents.Write(_onDisk);
            foreach (Change change in changes)
                change.ApplyTo(contents, survive);
            return contents.ToArray();
        }
    }
}
