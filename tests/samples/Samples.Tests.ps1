BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../LoopbackRegistry.psm1') -Force
    Import-Module (Get-StagedModulePath)
    $registry = Start-LoopbackRegistry -SizeMiB 4

    function Set-Damage([string] $Path) {
        $bytes = [System.IO.File]::ReadAllBytes($Path)
        $bytes[1000000] = $bytes[1000000] -bxor 1
        [System.IO.File]::WriteAllBytes($Path, $bytes)
    }
}

AfterAll {
    Stop-LoopbackRegistry $registry
}

Describe 'Update-ModelList.ps1' {
    It 'fetches what is new, says what is current, and goes on after a failure' {
        $store = Join-Path $TestDrive 'update'
        $list = Join-Path $TestDrive 'models.csv'
        [pscustomobject]@{ Name = "$($registry.Prefix)none" }, [pscustomobject]@{ Name = $registry.Name } | Export-Csv $list

        $first = & "$PSScriptRoot/Update-ModelList.ps1" -List $list -StorePath $store
        $first.Result | Should -Be 'Failed', 'Updated'
        $first[0].Problem | Should -Match 'no model'
        $first[1].NewBytes | Should -BeGreaterThan 4MB

        $second = & "$PSScriptRoot/Update-ModelList.ps1" -List $list -StorePath $store
        $second[1].Result | Should -Be 'Current'
        $second[1].NewBytes | Should -Be 0
    }

    It 'changes nothing with -WhatIf' {
        $store = Join-Path $TestDrive 'whatif'
        $list = Join-Path $TestDrive 'whatif.csv'
        [pscustomobject]@{ Name = $registry.Name } | Export-Csv $list
        $missing = & "$PSScriptRoot/Update-ModelList.ps1" -List $list -StorePath $store -WhatIf
        $store | Should -Not -Exist
        $missing.Result | Should -Be 'Outdated'
        $missing.NewBytes | Should -BeGreaterThan 4MB

        $null = & "$PSScriptRoot/Update-ModelList.ps1" -List $list -StorePath $store
        (& "$PSScriptRoot/Update-ModelList.ps1" -List $list -StorePath $store -WhatIf).Result | Should -Be 'Current'
    }
}

Describe 'Test-ModelStore.ps1' {
    BeforeAll {
        $store = Join-Path $TestDrive 'nightly'
        $saved = Save-ModelBlob $registry.Name $store -VerifyInline | Sort-Object Size -Descending
    }

    It 'reports a right store as right' {
        $report = & "$PSScriptRoot/Test-ModelStore.ps1" -StorePath $store
        $report.Subject | Should -Match 'all model files are right'
        $report.Problems | Should -BeNullOrEmpty
        $report.Models | Should -Be 1
        $report.Blobs | Should -Be $saved.Count
    }

    It 'names what is damaged, why, and what to do' {
        Set-Damage $saved[0].Path
        Remove-Item -LiteralPath $saved[1].Path
        $report = & "$PSScriptRoot/Test-ModelStore.ps1" -StorePath $store
        $report.Subject | Should -Match '2 model files damaged'
        $report.Problems.Status | Sort-Object | Should -Be 'DigestMismatch', 'Missing'
        ($report.Problems | Where-Object Status -eq 'DigestMismatch').Verdict | Should -Be 'DamagedOnDisk'
        $report.Body | Should -BeOfType ([string])
        $report.Body | Should -Match ([regex]::Escape($saved[0].Digest))
        $report.Problems.Recommendation | Should -Match '-Repair'
    }

    It 'does not call a store right that is not there' {
        $report = & "$PSScriptRoot/Test-ModelStore.ps1" -StorePath (New-Item -ItemType Directory (Join-Path $TestDrive 'unmounted')).FullName
        $report.Subject | Should -Not -Match 'right'
        $report.Problems.Status | Should -Be 'StoreNotFound'
    }
}

Describe 'Copy-ModelStore.ps1' {
    It 'saves, copies and tests, and the copy can be tested and diagnosed at the site' {
        $destination = Join-Path $TestDrive 'portable'
        $staged = & "$PSScriptRoot/Copy-ModelStore.ps1" -Name $registry.Name -StagingPath (Join-Path $TestDrive 'staging') -Destination $destination
        $staged.Status | Should -Be (@('Valid') * 5)
        $staged.Path | ForEach-Object { $_ | Should -BeLike "$destination*" }

        $weights = $staged | Sort-Object Size | Select-Object -Last 1
        Set-Damage $weights.Path
        $arrived = & "$PSScriptRoot/Copy-ModelStore.ps1" -Destination $destination
        ($arrived | Where-Object Digest -eq $weights.Digest).Status | Should -Be 'DigestMismatch'
        (Test-ModelBlob $registry.Name $destination -Digest $weights.Digest -Diagnose).HasBlockMap | Should -BeTrue
    }
}
