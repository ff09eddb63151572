namespace Datacake.Readme.Tests;

/// <summary>Every C# sample of every document compiles, runs, and does what the document says.</summary>
public class ReadmeTests
{
    public static TheoryData<string> Documents => [.. Document.All.Select(static document => document.Name)];

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task Samples_of_a_document_compile_and_do_what_it_says(string name)
    {
        var document = Document.All.Single(document => document.Name == name);
        Assert.True(File.Exists(document.SetupPath), $"{name} has samples. Add {document.SetupPath}, which declares what they use and runs them.");

        await SampleProgram.RunAsync(document, SampleProgram.Compile(document));
    }
}
