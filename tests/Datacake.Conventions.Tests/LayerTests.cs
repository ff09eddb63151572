namespace Datacake.Conventions.Tests;

/// <summary>References between folders point downward: the folders of a project form no cycle.</summary>
public class LayerTests
{
    public static TheoryData<string> Projects => [.. Repository.Projects.Select(static project => project.Name)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Folders_of_a_project_form_no_cycle(string name)
    {
        var project = Repository.Projects.Single(project => project.Name == name);

        if (FolderGraph.WithoutRepeats(project).Cycles().Count > 0)
            Assert.Fail(string.Join(Environment.NewLine, FolderGraph.Of(project).Cycles()));
    }
}
