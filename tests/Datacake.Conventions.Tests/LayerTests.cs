namespace Datacake.Conventions.Tests;

/// <summary>References between folders point downward: the folders of a project form no cycle.</summary>
public class LayerTests
{
    /// <summary>The projects whose folders still form a cycle. A project leaves the list with its last cycle, and none is added.</summary>
    static readonly string[] StillCyclic =
        ["Datacake.Simulation"];

    public static TheoryData<string> Layered => [.. Repository.Projects.Select(static project => project.Name).Except(StillCyclic)];

    public static TheoryData<string> Cyclic => [.. StillCyclic];

    [Theory]
    [MemberData(nameof(Layered))]
    public void Folders_of_a_project_form_no_cycle(string name)
    {
        var cycles = CyclesOf(name);

        Assert.True(cycles.Count == 0, string.Join(Environment.NewLine, cycles));
    }

    [Theory]
    [MemberData(nameof(Cyclic))]
    public void Project_without_cycles_is_not_listed_as_cyclic(string name) => Assert.NotEmpty(CyclesOf(name));

    static IReadOnlyList<string> CyclesOf(string name) => FolderGraph.Of(Repository.Projects.Single(project => project.Name == name)).Cycles();
}
