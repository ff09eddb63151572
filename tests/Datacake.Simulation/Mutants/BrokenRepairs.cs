using Datacake.Simulation.Machines;

namespace Datacake.Simulation.Mutants;

sealed class ChecksumsAreNotVerified() : Mutant("R18: checksums of records are not verified")
{
    public override string Theme => "damage";

    public override MachineFlaws Flaws => new() { HidesDamage = true };
}

sealed class DamagedStoresAnswer() : Mutant("R18: a replica answers pulls although it shows more than it claims")
{
    public override string Theme => "damage of few";

    public override bool AnswersWhileRepairing => true;
}

sealed class RepairedWithAnything() : Mutant("R18: a document is repaired from others although they lack some of the writes to it")
{
    public override string Theme => "damage of few";

    public override bool RepairsAtOnce => true;
}

sealed class LostDocumentsAreNotFetched() : Mutant("R18: a keyspace is recounted before its lost documents are restored")
{
    public override string Theme => "damage of few";

    public override bool CountsWithoutTheLost => true;
}
