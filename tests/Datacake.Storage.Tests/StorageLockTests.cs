using System.Diagnostics;
using Datacake.Storage.Specification;
using Datacake.Tests;

namespace Datacake.Storage.Tests;

public sealed class StorageLockTests : IDisposable
{
    readonly TemporaryDirectory _directory = new();

    string Store => _directory["store"];

    string Link => _directory["alias"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_store_and_a_symbolic_link_to_it_have_one_owner()
    {
        Needs.SymbolicLinks(Path.GetDirectoryName(Store)!);
        File.WriteAllText(Store, "");
        File.CreateSymbolicLink(_directory["first"], Store);
        File.CreateSymbolicLink(Link, "first");
        using (StorageLock owner = StorageLock.Acquire(Link, "store"))
        {
            Assert.Equal(Store, owner.Path);
            StorageException refusal = Assert.Throws<StorageException>(() => StorageLock.Acquire(Store, "store"));
            Assert.Equal(StorageError.AlreadyOpen, refusal.Error);
        }
        using (StorageLock.Acquire(Store, "store"))
        {
            StorageException refusal = Assert.Throws<StorageException>(() => StorageLock.Acquire(Link, $"store '{Link}'"));
            Assert.Equal(StorageError.AlreadyOpen, refusal.Error);
            Assert.Contains($"'{Link}' is a symbolic link to '{Store}'", refusal.Message, StringComparison.Ordinal);
        }
        Assert.False(File.Exists(Link + ".lock"));
    }

    [Fact]
    public void A_store_in_a_linked_directory_has_one_owner()
    {
        Needs.SymbolicLinks(Path.GetDirectoryName(Store)!);
        Directory.CreateDirectory(_directory["real"]);
        Directory.CreateSymbolicLink(Link, _directory["real"]);
        using (StorageLock.Acquire(Path.Combine(Link, "store"), "store"))
            Assert.Throws<StorageException>(() => StorageLock.Acquire(Path.Combine(_directory["real"], "store"), "store"));
    }

    [Fact]
    public void A_linked_directory_is_a_store_of_its_own()
    {
        Needs.SymbolicLinks(Path.GetDirectoryName(Store)!);
        Directory.CreateDirectory(Store);
        Directory.CreateSymbolicLink(Link, Store);
        using StorageLock owner = StorageLock.Acquire(Link + Path.DirectorySeparatorChar, "store");
        Assert.Equal(Store, owner.Path);
        Assert.Throws<StorageException>(() => StorageLock.Acquire(Store, "store"));
    }

    [Fact]
    public void A_link_to_a_store_that_does_not_exist_yet_leads_to_its_place()
    {
        Needs.SymbolicLinks(Path.GetDirectoryName(Store)!);
        File.CreateSymbolicLink(Link, Store);
        using StorageLock owner = StorageLock.Acquire(Link, "store");
        Assert.Equal(Store, owner.Path);
    }

    [Fact]
    public void A_file_with_two_names_is_refused_until_one_is_removed()
    {
        File.WriteAllText(Store, "");
        using (StorageLock.Acquire(Store, "store"))
        {
            CreateHardLink();
            StorageException refusal = Assert.Throws<StorageException>(() => StorageLock.Acquire(Link, $"store '{Link}'"));
            Assert.Equal(StorageError.Inaccessible, refusal.Error);
            Assert.Contains(Link, refusal.Message, StringComparison.Ordinal);
            Assert.Contains("2 names", refusal.Message, StringComparison.Ordinal);
        }
        Assert.Throws<StorageException>(() => StorageLock.Acquire(Store, "store"));
        File.Delete(Link);
        StorageLock.Acquire(Store, "store").Dispose();
    }

    void CreateHardLink()
    {
        ProcessStartInfo start = OperatingSystem.IsWindows() ? new("cmd", ["/c", "mklink", "/H", Link, Store]) : new("ln", [Store, Link]);
        using Process process = Process.Start(start)!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
