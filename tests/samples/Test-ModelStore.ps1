<#
.SYNOPSIS
Reads every model of a store and makes one report, ready to be mailed.
.DESCRIPTION
The report has a Subject and a Body in plain text, and Problems as objects. What is wrong is diagnosed, so that the mail says
whether the disk, the way it is read or the memory is at fault. Meant for the night: every byte of the store is read.
.EXAMPLE
$report = ./Test-ModelStore.ps1
if ($report.Problems) { Send-MailMessage -To admin@example.org -Subject $report.Subject -Body $report.Body -SmtpServer mail }
#>
[CmdletBinding()]
param(
    [string] $StorePath
)

$store = @{}
if ($StorePath) {
    $store.StorePath = $StorePath
}

$models = @(Get-ModelManifest -Local @store)
$tested = @($models | Test-ModelBlob @store)
$problems = @(
    foreach ($blob in $tested | Where-Object Status -ne 'Valid') {
        $diagnosis = if ($blob.Status -eq 'DigestMismatch') { Test-ModelBlob $blob.Name @store -Digest $blob.Digest -Diagnose }
        [pscustomobject]@{
            Name           = $blob.Name
            Digest         = $blob.Digest
            Status         = $blob.Status
            Verdict        = $diagnosis.Verdict
            Recommendation = if ($diagnosis) { $diagnosis.Recommendation } else { "'Save-ModelBlob $($blob.Name) -Repair' fetches it." }
        }
    }
)

$computer = [System.Environment]::MachineName
$size = ($tested | Measure-Object -Property Size -Sum).Sum
$lines = @("$($models.Count) models with $($tested.Count) blobs were read, $([long] $size) bytes.")
$lines += foreach ($problem in $problems) {
    "$($problem.Name) $($problem.Digest): $($problem.Status) $($problem.Verdict)", "    $($problem.Recommendation)"
}

[pscustomobject]@{
    Date     = Get-Date
    Computer = $computer
    Subject  = if ($problems) { "${computer}: $($problems.Count) damaged model files" } else { "${computer}: all model files are right" }
    Body     = $lines -join [System.Environment]::NewLine
    Models   = $models.Count
    Blobs    = $tested.Count
    Problems = $problems
}
