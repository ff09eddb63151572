using System.Text;
using Example;

namespace Datacake.Storage.Specification.Tests;

public sealed class FolderStorageTests : DurableStorageSpecification
{
    protected override IDurableStorage Open(string path) => FolderStorage.Open(path);

    protected override ValueTask RestoreAsync(string backup, string path) => FolderStorage.RestoreAsync(backup, path);

    [Fact]
    public async Task Entries_folded_into_files_survive_reopening_the_store()
    {
        for (int i = 0; i < 600; i++)
            await CommitAsync(($"{i % 90}", $"{i}"), ($"{i % 70}", null));
        List<string> before = await ScanAsync(KeyRange.All);
        await ReopenAsync();
        Assert.Equal(before, await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task A_damaged_file_is_refused_by_name()
    {
        await CommitAsync(("a", "1"), ("b", "2"));
        await Storage.CompactAsync(TestContext.Current.CancellationToken);
        string file = System.IO.Directory.GetFiles(Path.Combine(StoragePath, "entries"))[0];
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        StorageException finding = await Assert.ThrowsAsync<StorageException>(
            async () => await Storage.CheckAsync(TestContext.Current.CancellationToken));
        Assert.Equal(StorageError.Corrupt, finding.Error);
        await CloseAsync();
        StorageException refusal = Assert.Throws<StorageException>(() => Open(StoragePath));
        Assert.Equal(StorageError.Corrupt, refusal.Error);
        Assert.Contains(file, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("format", "2", StorageError.NewerFormat)]
    [InlineData("something", "else", StorageError.Foreign)]
    public void A_folder_with_other_contents_is_refused(string file, string contents, StorageError error)
    {
        string path = System.IO.Directory.CreateDirectory(Directory["other"]).FullName;
        File.WriteAllText(Path.Combine(path, file), contents);
        Assert.Equal(error, Assert.Throws<StorageException>(() => Open(path)).Error);
        Assert.Equal([Path.Combine(path, file)], System.IO.Directory.GetFileSystemEntries(path));
    }

    [Fact]
    public void The_guide_shows_the_source_of_this_provider()
    {
        string example = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "FolderStorage.cs"), Encoding.UTF8);
        string guide = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "README.md"), Encoding.UTF8);
        Assert.Contains("```csharp\n" + example.ReplaceLineEndings("\n") + "```", guide.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }
}

public sealed class FolderCrashTests : CrashSpecification
{
    // The journal is folded into the files at the 256th.
    protected override int RecordedCommits => 260;

    protected override IStorage Open(string path) => FolderStorage.Open(path);
}
